/* Tokens that the program gives up. argv[1]: a server that does not acknowledge what goes to "silent"; argv[2]: where nobody
 * listens. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <pthread.h>

#include "check.h"

static pmq_client *with_queue_of_two(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    OK(pmq_options_set_queue(options, 2, 100000, PMQ_ON_FULL_REFUSE, &error));
    client = check_client(options);
    pmq_options_free(&options);
    return client;
}

/* Everything up to the end: the completion of `expected` comes, and no other. */
static void only_completion(pmq_client *client, uint64_t expected) {
    pmq_event_kind kind = PMQ_EVENT_NONE;
    int completions = 0;
    while (kind != PMQ_EVENT_STOPPED) {
        pmq_error *error = NULL;
        pmq_event *event = NULL;
        OK(pmq_client_next_event(client, PATIENCE, &event, &error));
        kind = pmq_event_type(event);
        if (kind == PMQ_EVENT_NONE) {
            return;
        }
        if (pmq_event_token(event) != 0) {
            CHECK(pmq_event_token(event) == expected);
            completions++;
        }
        pmq_event_free(&event);
    }
    CHECK(completions == (expected != 0));
}

static void a_publish_that_was_not_sent_is_taken_back(const char *nobody) {
    pmq_error *error = NULL;
    pmq_client *client = with_queue_of_two(nobody);
    pmq_message *message = check_message("t", "x", 1);
    uint64_t first = check_publish(client, "t", "1"), second = check_publish(client, "t", "2"), third = 0;
    bool taken_back = false;

    FAILS(pmq_client_publish(client, message, NULL, &error), PMQ_STATUS_QUEUE_FULL);
    OK(pmq_client_cancel(client, first, &taken_back, &error));
    CHECK(taken_back && check_stat(client, PMQ_STAT_QUEUED) == 1);
    FAILS(pmq_client_cancel(client, first, &taken_back, &error), PMQ_STATUS_TOKEN);
    FAILS(pmq_client_wait(client, first, PMQ_FOREVER, NULL, &error), PMQ_STATUS_TOKEN);
    FAILS(pmq_client_cancel(client, 0, NULL, &error), PMQ_STATUS_TOKEN);
    FAILS(pmq_client_cancel(client, second + 1, NULL, &error), PMQ_STATUS_TOKEN);
    /* Its places are free: in the queue, and among the tokens. */
    OK(pmq_client_publish(client, message, &third, &error));
    OK(pmq_client_cancel(client, third, NULL, &error));
    FAILS(pmq_client_stop(client, 1, &error), PMQ_STATUS_UNFINISHED);
    only_completion(client, second);
    pmq_message_free(&message);
    pmq_client_free(&client);
}

static void what_was_sent_goes_on(const char *silent) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(silent);
    uint64_t sent = check_publish(client, "silent", "x"), asked = 0;
    const char *filter = "never";
    bool taken_back = true;

    OK(pmq_client_subscribe(client, &filter, 1, 1, 0, NULL, &asked, &error));
    /* The server answers in order: with this one, it has seen the others. */
    OK(pmq_client_wait(client, check_publish(client, "t", "y"), PATIENCE, NULL, &error));
    OK(pmq_client_cancel(client, sent, &taken_back, &error));
    CHECK(!taken_back && check_stat(client, PMQ_STAT_QUEUED) == 1);
    taken_back = true;
    OK(pmq_client_cancel(client, asked, &taken_back, &error));
    CHECK(!taken_back);
    FAILS(pmq_client_stop(client, 1, &error), PMQ_STATUS_UNFINISHED);
    only_completion(client, 0);
    pmq_client_free(&client);
}

/* Whether the descriptor says that an event waits. */
static int is_readable(int fd) {
    struct pollfd place = {0, POLLIN, 0};
    place.fd = fd;
    return poll(&place, 1, 0) == 1;
}

static void a_completion_that_waits_is_thrown_away(const char *silent) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(silent);
    pmq_event *event = NULL;
    uint64_t token;
    bool taken_back = true;
    int fd = -1;

    check_skip(client, PMQ_EVENT_CONNECTED);
    token = check_publish(client, "t", "x");
    OK(pmq_client_wait(client, check_publish(client, "t", "y"), PATIENCE, NULL, &error));
    OK(pmq_client_fd(client, &fd, &error));
    CHECK(is_readable(fd));
    OK(pmq_client_cancel(client, token, &taken_back, &error));
    CHECK(!taken_back && !is_readable(fd));
    FAILS(pmq_client_next_event(client, 0, &event, &error), PMQ_STATUS_TIMEOUT);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
}

struct waiter {
    pmq_client *client;
    uint64_t token;
};

static void *wait_for_ever(void *userdata) {
    struct waiter *waiter = userdata;
    return (void *)(intptr_t)pmq_client_wait(waiter->client, waiter->token, PMQ_FOREVER, NULL, NULL);
}

static void who_waits_is_told(const char *nobody) {
    pmq_error *error = NULL;
    struct waiter waiter;
    pthread_t thread;
    void *status = NULL;
    waiter.client = check_connect(nobody);
    waiter.token = check_publish(waiter.client, "t", "x");
    CHECK(pthread_create(&thread, NULL, wait_for_ever, &waiter) == 0);
    OK(pmq_client_cancel(waiter.client, waiter.token, NULL, &error));
    CHECK(pthread_join(thread, &status) == 0);
    CHECK((intptr_t)status == PMQ_STATUS_TOKEN);
    /* Nothing is left to be flushed. */
    OK(pmq_client_stop(waiter.client, PATIENCE, &error));
    pmq_client_free(&waiter.client);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    a_publish_that_was_not_sent_is_taken_back(argv[2]);
    what_was_sent_goes_on(argv[1]);
    a_completion_that_waits_is_thrown_away(argv[1]);
    who_waits_is_told(argv[2]);
    return check_result();
}
