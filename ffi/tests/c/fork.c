/* A child has none of its parent's clients and not its log function, and the parent does not notice. argv[1]: a broker. */
#define _POSIX_C_SOURCE 200809L
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void never(const pmq_event *event, void *userdata) {
    (void)event;
    (void)userdata;
    CHECK(0);
}

/* The log functions, and how often each was called. A child counts for itself. */
struct log {
    int records, drops;
};

static void count_record(pmq_log_level level, const char *text, void *userdata) {
    (void)level;
    (void)text;
    ((struct log *)userdata)->records++;
}

static void count_drop(void *userdata) {
    ((struct log *)userdata)->drops++;
}

static void sets_no_log_of_its_parent(struct log *parents, const char *url) {
    pmq_error *error = NULL;
    struct log own = {0, 0};
    const int before = parents->records;
    pmq_client *client = check_connect(url);
    check_skip(client, PMQ_EVENT_CONNECTED);
    pmq_client_free(&client);
    OK(pmq_set_log(PMQ_LOG_LEVEL_DEBUG, count_record, &own, count_drop, &error));
    client = check_connect(url);
    check_skip(client, PMQ_EVENT_CONNECTED);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    OK(pmq_shutdown(PATIENCE, &error));
    CHECK(own.records > 0 && own.drops == 1);
    CHECK(parents->records == before && parents->drops == 0);
}

static void in_child(pmq_client *client, pmq_event *event, uint64_t token, const char *url) {
    pmq_error *error = NULL;
    pmq_message *message = check_message("t", "child", 1);
    pmq_client *own;
    const char *filter = "t";
    uint64_t value = 0;
    size_t count = 0;
    pmq_state state;
    pmq_event *next = NULL;
    int fd = -1;

    FAILS(pmq_client_publish(client, message, &value, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_request(client, message, PMQ_FOREVER, &value, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_subscribe(client, &filter, 1, 0, 0, NULL, &value, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_unsubscribe(client, &filter, 1, NULL, &value, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_wait(client, token, PMQ_FOREVER, &next, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_cancel(client, token, NULL, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_next_event(client, PMQ_FOREVER, &next, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_dispatch(client, never, NULL, 0, &count, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_fd(client, &fd, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_state(client, &state, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_stat(client, PMQ_STAT_SENT, &value, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_client_stop(client, PMQ_FOREVER, &error), PMQ_STATUS_FORKED);
    FAILS(pmq_event_ack(event, 0, &error), PMQ_STATUS_FORKED);
    /* What is no client is the child's own. */
    CHECK(payload_is(event, "before"));
    pmq_event_free(&event);
    pmq_client_free(&client);
    CHECK(client == NULL && value == 0 && fd == -1);

    own = check_connect(url);
    OK(pmq_client_publish(own, message, &value, &error));
    OK(pmq_client_wait(own, value, PATIENCE, NULL, &error));
    pmq_client_free(&own);
    pmq_message_free(&message);
    OK(pmq_shutdown(PATIENCE, &error));
}

/* Without looking for leaks: what the parent's library had is forgotten here, since its locks may be held by a thread that does
 * not exist in the child. */
static void leave(void) {
    fflush(NULL);
    _exit(check_failures == 0 ? 0 : 1);
}

static void forks_in_handler(const pmq_event *event, void *userdata) {
    (void)event;
    *(pid_t *)userdata = fork();
}

static void await_child(pid_t child) {
    int status = -1;
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Before and after there is a client. */
static void log_stays_with_the_parent(struct log *log, const char *url) {
    pid_t child;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        sets_no_log_of_its_parent(log, url);
        leave();
    }
    await_child(child);
}

int main(int argc, char **argv) {
    pmq_error *error = NULL;
    struct log log = {0, 0};
    pmq_options *options;
    pmq_client *client;
    pmq_event *event;
    uint64_t token;
    size_t count = 0;
    pid_t child;

    if (argc != 2) {
        return 2;
    }
    OK(pmq_set_log(PMQ_LOG_LEVEL_DEBUG, count_record, &log, count_drop, &error));
    log_stays_with_the_parent(&log, argv[1]);
    options = check_options(argv[1]);
    OK(pmq_options_set_manual_ack(options, true, &error));
    client = check_client(options);
    check_subscribe(client, "t");
    token = check_publish(client, "t", "before");
    event = check_event(client, PMQ_EVENT_MESSAGE);

    fflush(NULL);
    child = fork();
    if (child == 0) {
        pmq_options_free(&options);
        in_child(client, event, token, argv[1]);
        leave();
    }
    await_child(child);
    /* The parent goes on as if nothing had been: the same connection, and the answer that the event owes. */
    OK(pmq_event_ack(event, 0, &error));
    pmq_event_free(&event);
    OK(pmq_client_wait(client, check_publish(client, "t", "after"), PATIENCE, NULL, &error));
    CHECK(check_stat(client, PMQ_STAT_RECONNECTS) == 0);

    fflush(NULL);
    child = -1;
    event = check_event(client, PMQ_EVENT_MESSAGE);
    while (!payload_is(event, "after") && !payload_is(event, "child")) {
        pmq_event_free(&event);
        event = check_event(client, PMQ_EVENT_MESSAGE);
    }
    pmq_event_free(&event);
    OK(pmq_client_wait(client, check_publish(client, "t", "last"), PATIENCE, NULL, &error));
    while (child == -1) {
        pmq_status status = pmq_client_dispatch(client, forks_in_handler, &child, 1, &count, &error);
        if (child == 0) {
            /* The rest of dispatch is the child's, and gives up. */
            CHECK(status == PMQ_STATUS_FORKED || status == PMQ_STATUS_OK);
            pmq_error_free(&error);
            pmq_client_free(&client);
            pmq_options_free(&options);
            leave();
        }
        check_ok(status, &error, "dispatch", __LINE__);
    }
    await_child(child);
    log_stays_with_the_parent(&log, argv[1]);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    pmq_options_free(&options);
    OK(pmq_shutdown(PATIENCE, &error));
    CHECK(log.records > 0 && log.drops == 1);
    return check_result();
}
