/* What all test programs share: checks that go on after a failure, and a conversation with the harness. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pushmq.h"

/* Fails only on a hang: nothing here depends on speed. */
#define PATIENCE 30000

static int check_failures;
static int check_count;

#define CHECK(condition)                                                           \
    do {                                                                           \
        check_count++;                                                             \
        if (!(condition)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);        \
            check_failures++;                                                      \
        }                                                                          \
    } while (0)

/* Checks a call that is to succeed, and whose last argument is &error. */
#define OK(call) check_ok((call), &error, #call, __LINE__)

/* Checks a call that is to fail in a certain way, and whose last argument is &error. */
#define FAILS(call, expected) check_fails((call), (expected), &error, #call, __LINE__)

static inline void check_ok(pmq_status status, pmq_error **error, const char *call, int line) {
    check_count++;
    if (status != PMQ_STATUS_OK) {
        fprintf(stderr, "line %d: %s: %s: %s\n", line, call, pmq_status_name(status), pmq_error_message(*error));
        check_failures++;
    }
    pmq_error_free(error);
}

static inline void check_fails(pmq_status status, pmq_status expected, pmq_error **error, const char *call,
                               int line) {
    check_count++;
    if (status != expected || pmq_error_status(*error) != expected || *pmq_error_message(*error) == '\0') {
        fprintf(stderr, "line %d: %s: %s instead of %s: %s\n", line, call, pmq_status_name(status),
                pmq_status_name(expected), pmq_error_message(*error));
        check_failures++;
    }
    pmq_error_free(error);
}

/* The end of every program. Nothing is left running, so that leak checkers see the end of everything. */
static inline int check_result(void) {
    pmq_error *error = NULL;
    OK(pmq_shutdown(PATIENCE, &error));
    printf("%d checks, %d failures\n", check_count, check_failures);
    return check_failures == 0 ? 0 : 1;
}

/* Asks the harness for something, and waits until it is done. */
static inline void harness(const char *request) {
    char answer[64];
    printf("%s\n", request);
    fflush(stdout);
    if (fgets(answer, sizeof answer, stdin) == NULL || strcmp(answer, "done\n") != 0) {
        fprintf(stderr, "the harness cannot: %s\n", request);
        exit(1);
    }
}

static inline pmq_client *check_client(pmq_options *options) {
    pmq_error *error = NULL;
    pmq_client *client = NULL;
    OK(pmq_client_new(options, &client, &error));
    return client;
}

static inline pmq_options *check_options(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = NULL;
    OK(pmq_options_new(url, PMQ_Z, &options, &error));
    return options;
}

static inline pmq_client *check_connect(const char *url) {
    pmq_options *options = check_options(url);
    pmq_client *client = check_client(options);
    pmq_options_free(&options);
    return client;
}

static inline pmq_message *check_message(const char *topic, const char *payload, uint8_t qos) {
    pmq_error *error = NULL;
    pmq_message *message = NULL;
    OK(pmq_message_new(topic, PMQ_Z, payload, strlen(payload), &message, &error));
    OK(pmq_message_set_qos(message, qos, &error));
    return message;
}

/* Publishes at QoS 1 and gives the token. */
static inline uint64_t check_publish(pmq_client *client, const char *topic, const char *payload) {
    pmq_error *error = NULL;
    pmq_message *message = check_message(topic, payload, 1);
    uint64_t token = 0;
    OK(pmq_client_publish(client, message, &token, &error));
    pmq_message_free(&message);
    CHECK(token != 0);
    return token;
}

/* The next event of this kind; those before it are thrown away. */
static inline pmq_event *check_event(pmq_client *client, pmq_event_kind kind) {
    for (;;) {
        pmq_error *error = NULL;
        pmq_event *event = NULL;
        pmq_status status = pmq_client_next_event(client, PATIENCE, &event, &error);
        if (status != PMQ_STATUS_OK) {
            fprintf(stderr, "waiting for event %d: ", (int)kind);
            check_ok(status, &error, "pmq_client_next_event", __LINE__);
            return NULL;
        }
        if (pmq_event_type(event) == kind) {
            return event;
        }
        pmq_event_free(&event);
    }
}

static inline void check_skip(pmq_client *client, pmq_event_kind kind) {
    pmq_event *event = check_event(client, kind);
    CHECK(event != NULL);
    pmq_event_free(&event);
}

/* Subscribes to one filter at QoS 1, and waits for the answer. */
static inline void check_subscribe(pmq_client *client, const char *filter) {
    pmq_error *error = NULL;
    uint64_t token = 0;
    OK(pmq_client_subscribe(client, &filter, 1, 1, 0, NULL, &token, &error));
    OK(pmq_client_wait(client, token, PATIENCE, NULL, &error));
}

static inline int payload_is(const pmq_event *event, const char *expected) {
    size_t len = 0;
    const void *payload = pmq_message_payload(pmq_event_message(event), &len);
    return payload != NULL && len == strlen(expected) && memcmp(payload, expected, len) == 0;
}

static inline uint64_t check_stat(pmq_client *client, pmq_stat stat) {
    pmq_error *error = NULL;
    uint64_t value = 0;
    OK(pmq_client_stat(client, stat, &value, &error));
    return value;
}

static inline pmq_state check_state(pmq_client *client) {
    pmq_error *error = NULL;
    pmq_state state = PMQ_STATE_STOPPED;
    OK(pmq_client_state(client, &state, &error));
    return state;
}

#endif
