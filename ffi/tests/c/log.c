/* What pmq_set_log is told, and what its functions may do. argv[1]: a broker; argv[2]: where nobody listens. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <time.h>

#include "check.h"

/* The library's thread writes it, and main reads it. CHECK is not for several threads: each counts for itself. */
struct log {
    pthread_mutex_t lock;
    pthread_cond_t came;
    pthread_t main;
    pmq_client *to_free;
    int records, drops, failures, connected, closed;
    pmq_log_level most;
};

static struct log new_log(void) {
    struct log log = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, pthread_self(), NULL, 0, 0, 0, 0, 0,
                      PMQ_LOG_LEVEL_ERROR};
    return log;
}

static void take(pmq_log_level level, const char *text, void *userdata) {
    struct log *log = userdata;
    pthread_mutex_lock(&log->lock);
    log->records++;
    log->most = level > log->most ? level : log->most;
    log->connected += level == PMQ_LOG_LEVEL_INFO && strncmp(text, "connected (address=", 19) == 0;
    log->closed += strcmp(text, "the client was closed") == 0;
    log->failures += strstr(text, "secret") != NULL || strchr(text, '\n') != NULL;
    log->failures += pthread_equal(pthread_self(), log->main) != 0;
    pmq_client_free(&log->to_free);
    pthread_cond_signal(&log->came);
    pthread_mutex_unlock(&log->lock);
}

static void let_go(void *userdata) {
    struct log *log = userdata;
    pthread_mutex_lock(&log->lock);
    log->drops++;
    pthread_mutex_unlock(&log->lock);
}

/* Waits until so many clients were closed. */
static void await_closed(struct log *log, int closed) {
    struct timespec limit;
    int result = 0;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE / 1000;
    pthread_mutex_lock(&log->lock);
    while (log->closed < closed && result == 0) {
        result = pthread_cond_timedwait(&log->came, &log->lock, &limit);
    }
    CHECK(result == 0);
    pthread_mutex_unlock(&log->lock);
}

/* What it was called for before an event was taken is here. */
static int count(struct log *log, const int *number) {
    int value;
    pthread_mutex_lock(&log->lock);
    value = *number;
    pthread_mutex_unlock(&log->lock);
    return value;
}

static void records_without_secrets(const char *url) {
    pmq_error *error = NULL;
    struct log log = new_log();
    pmq_options *options = check_options(url);
    pmq_client *client;
    OK(pmq_set_log(PMQ_LOG_LEVEL_DEBUG, take, &log, let_go, &error));
    OK(pmq_options_set_credentials(options, "user", PMQ_Z, "secret", 6, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    CHECK(count(&log, &log.connected) == 1);
    check_subscribe(client, "t");
    check_publish(client, "t", "secret");
    check_skip(client, PMQ_EVENT_MESSAGE);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    await_closed(&log, 1);
    CHECK(count(&log, &log.drops) == 0);
    OK(pmq_shutdown(PATIENCE, &error));
    CHECK(log.drops == 1 && log.failures == 0);
}

static void no_more_than_asked_for(const char *nobody) {
    pmq_error *error = NULL;
    struct log warnings = new_log(), errors = new_log();
    pmq_client *client;
    OK(pmq_set_log(PMQ_LOG_LEVEL_WARNING, take, &warnings, let_go, &error));
    client = check_connect(nobody);
    check_skip(client, PMQ_EVENT_RECONNECTING);
    CHECK(count(&warnings, &warnings.records) > 0);
    pmq_client_free(&client);

    OK(pmq_set_log(PMQ_LOG_LEVEL_ERROR, take, &errors, let_go, &error));
    client = check_connect(nobody);
    check_skip(client, PMQ_EVENT_RECONNECTING);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    OK(pmq_set_log(0, NULL, NULL, NULL, &error));
    OK(pmq_shutdown(PATIENCE, &error));
    CHECK(warnings.drops == 1 && warnings.failures == 0 && warnings.most == PMQ_LOG_LEVEL_WARNING);
    CHECK(errors.records == 0 && errors.drops == 1);
}

static void taken_only_on_success(void) {
    pmq_error *error = NULL;
    struct log first = new_log(), second = new_log();
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, take, &first, let_go, &error));
    FAILS(pmq_set_log(PMQ_LOG_LEVEL_ERROR - 1, take, &second, let_go, &error), PMQ_STATUS_ARGUMENT);
    FAILS(pmq_set_log(PMQ_LOG_LEVEL_DEBUG + 1, take, &second, let_go, &error), PMQ_STATUS_ARGUMENT);
    CHECK(first.drops == 0 && second.drops == 0);
    /* Replaced by the same, which is another one. */
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, take, &first, let_go, &error));
    CHECK(first.drops == 1);
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, take, &second, NULL, &error));
    CHECK(first.drops == 2);
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, NULL, &first, let_go, &error));
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, NULL, &first, let_go, &error));
    CHECK(first.drops == 2 && second.drops == 0);
}

/* The client that both functions try to use. */
static pmq_client *client_in_use;
static int refused, not_refused;

static void expect_busy(pmq_status status, pmq_error **error) {
    if (status == PMQ_STATUS_BUSY && pmq_error_status(*error) == PMQ_STATUS_BUSY && *pmq_error_message(*error) != 0) {
        refused++;
    } else {
        not_refused++;
    }
    pmq_error_free(error);
}

static void call_back(void *userdata) {
    pmq_error *error = NULL;
    pmq_event *event = NULL;
    (void)userdata;
    expect_busy(pmq_shutdown(PATIENCE, &error), &error);
    expect_busy(pmq_set_log(0, NULL, NULL, NULL, &error), &error);
    expect_busy(pmq_client_stop(client_in_use, PATIENCE, &error), &error);
    expect_busy(pmq_client_next_event(client_in_use, PMQ_FOREVER, &event, &error), &error);
}

static void call_back_when_told(pmq_log_level level, const char *text, void *userdata) {
    (void)level;
    (void)text;
    call_back(userdata);
}

static void calls_back_are_refused(const char *nobody) {
    pmq_error *error = NULL;
    client_in_use = check_connect(nobody);
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, call_back_when_told, NULL, call_back, &error));
    /* It is told when the client ends, and let go of after that. */
    OK(pmq_client_stop(client_in_use, PATIENCE, &error));
    OK(pmq_shutdown(PATIENCE, &error));
    CHECK(refused >= 8 && not_refused == 0);
    pmq_client_free(&client_in_use);
    /* This thread may call again. */
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, NULL, NULL, NULL, &error));
}

static void freed_inside(const char *nobody) {
    pmq_error *error = NULL;
    struct log log = new_log();
    pmq_client *client;
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, take, &log, NULL, &error));
    client = check_connect(nobody);
    pthread_mutex_lock(&log.lock);
    log.to_free = client;
    pthread_mutex_unlock(&log.lock);
    /* It tries again and again, until a record frees it, and then tells that it has ended. */
    await_closed(&log, 1);
    CHECK(log.to_free == NULL && log.failures == 0);
    OK(pmq_shutdown(PATIENCE, &error));
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    records_without_secrets(argv[1]);
    no_more_than_asked_for(argv[2]);
    taken_only_on_success();
    calls_back_are_refused(argv[2]);
    freed_inside(argv[2]);
    return check_result();
}
