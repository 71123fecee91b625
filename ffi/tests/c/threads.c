/* Many threads use one client at once. argv[1]: a broker. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "check.h"

#define THREADS 4
#define EACH 50

/* What one thread finds, told by its exit value: CHECK is not for several threads. */
static void *publish_and_wait(void *client) {
    long failures = 0;
    int i;
    for (i = 0; i < EACH; i++) {
        pmq_error *error = NULL;
        pmq_message *message = NULL;
        uint64_t token = 0;
        failures += pmq_message_new("t", 1, "x", 1, &message, &error) != PMQ_STATUS_OK;
        failures += pmq_message_set_qos(message, 1, &error) != PMQ_STATUS_OK;
        failures += pmq_client_publish(client, message, &token, &error) != PMQ_STATUS_OK;
        failures += pmq_client_wait(client, token, PATIENCE, NULL, &error) != PMQ_STATUS_OK;
        pmq_message_free(&message);
        pmq_error_free(&error);
    }
    return (void *)failures;
}

static void *take_messages(void *client) {
    long messages = 0;
    while (messages < EACH) {
        pmq_event *event = NULL;
        if (pmq_client_next_event(client, PATIENCE, &event, NULL) != PMQ_STATUS_OK) {
            break;
        }
        messages += pmq_event_type(event) == PMQ_EVENT_MESSAGE;
        pmq_event_free(&event);
    }
    return (void *)messages;
}

static void all_at_once(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pthread_t publishers[THREADS], takers[THREADS];
    pmq_client *client;
    void *result;
    int i;
    OK(pmq_options_set_completions(options, PMQ_COMPLETIONS_WAIT, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_subscribe(client, "t");
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&publishers[i], NULL, publish_and_wait, client) == 0);
        CHECK(pthread_create(&takers[i], NULL, take_messages, client) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(publishers[i], &result) == 0);
        CHECK((long)result == 0);
        CHECK(pthread_join(takers[i], &result) == 0);
        CHECK((long)result == EACH);
    }
    pmq_client_free(&client);
}

static void *wait_for_ever(void *client) {
    pmq_status status;
    do {
        pmq_event *event = NULL;
        status = pmq_client_next_event(client, PMQ_FOREVER, &event, NULL);
        pmq_event_free(&event);
    } while (status == PMQ_STATUS_OK);
    return (void *)(long)status;
}

/* Whoever waits while another thread ends the client comes back. */
static void stopped_while_waiting(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, NULL, wait_for_ever, client) == 0);
    OK(pmq_client_stop(client, PATIENCE, &error));
    CHECK(pthread_join(thread, &result) == 0);
    CHECK((long)result == PMQ_STATUS_STOPPED);
    pmq_client_free(&client);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    all_at_once(argv[1]);
    stopped_while_waiting(argv[1]);
    return check_result();
}
