/* A client against a broker: connect, subscribe, publish, receive, by events, by waiting, by the descriptor, by dispatch. */
#include <poll.h>

#include "check.h"

static int is_readable(int fd, int timeout) {
    struct pollfd poll_fd;
    poll_fd.fd = fd;
    poll_fd.events = POLLIN;
    poll_fd.revents = 0;
    return poll(&poll_fd, 1, timeout) == 1;
}

static void one_round(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    const char *filters[] = {"a/+", "b"};
    uint64_t token = 0, other = 0;
    size_t len = 0, count = 0;
    const uint8_t *reasons;

    pmq_event *event = check_event(client, PMQ_EVENT_CONNECTED);
    CHECK(!pmq_event_session_present(event));
    CHECK(pmq_event_client_id(event, &len) != NULL && len == 22);
    CHECK(strncmp(pmq_event_client_id(event, NULL), "pushmq", 6) == 0);
    CHECK(pmq_event_address(event, &len) != NULL && len > 0);
    CHECK(pmq_event_protocol(event) == PMQ_PROTOCOL_V5);
    CHECK(pmq_event_status(event) == PMQ_STATUS_OK && pmq_event_error(event) == NULL);
    CHECK(pmq_event_token(event) == 0 && pmq_event_message(event) == NULL);
    pmq_event_free(&event);
    pmq_event_free(&event);
    CHECK(check_state(client) == PMQ_STATE_CONNECTED);

    OK(pmq_client_subscribe(client, filters, 2, 2, 0, NULL, &token, &error));
    event = check_event(client, PMQ_EVENT_SUBSCRIBED);
    CHECK(pmq_event_token(event) == token && pmq_event_status(event) == PMQ_STATUS_OK);
    reasons = pmq_event_reasons(event, &count);
    CHECK(count == 2 && reasons[0] == 2 && reasons[1] == 2);
    CHECK(pmq_event_properties(event) == NULL);
    pmq_event_free(&event);

    /* Nobody subscribes to this one, and the broker says so. */
    token = check_publish(client, "nobody/here", "x");
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    CHECK(pmq_event_type(event) == PMQ_EVENT_PUBLISHED && pmq_event_token(event) == token);
    CHECK(pmq_event_status(event) == PMQ_STATUS_OK && pmq_event_reason(event) == 0x10);
    pmq_event_free(&event);

    other = check_publish(client, "a/1", "hello");
    CHECK(other > token);
    event = check_event(client, PMQ_EVENT_MESSAGE);
    CHECK(payload_is(event, "hello") && pmq_message_packet_id(pmq_event_message(event)) == 1);
    CHECK(memcmp(pmq_message_topic(pmq_event_message(event), &len), "a/1", 3) == 0 && len == 3);
    CHECK(pmq_message_qos(pmq_event_message(event)) == 1 && !pmq_message_retain(pmq_event_message(event)));
    CHECK(pmq_event_status(event) == PMQ_STATUS_OK);
    pmq_event_free(&event);

    OK(pmq_client_unsubscribe(client, filters, 2, NULL, &token, &error));
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    reasons = pmq_event_reasons(event, &count);
    CHECK(pmq_event_type(event) == PMQ_EVENT_UNSUBSCRIBED && count == 2 && reasons[0] == 0 && reasons[1] == 0);
    pmq_event_free(&event);

    OK(pmq_client_stop(client, PATIENCE, &error));
    CHECK(check_state(client) == PMQ_STATE_STOPPED);
    event = check_event(client, PMQ_EVENT_DISCONNECTED);
    CHECK(pmq_event_error(event) == NULL);
    pmq_event_free(&event);
    event = check_event(client, PMQ_EVENT_STOPPED);
    CHECK(pmq_event_error(event) == NULL);
    pmq_event_free(&event);
    FAILS(pmq_client_next_event(client, PMQ_FOREVER, &event, &error), PMQ_STATUS_STOPPED);
    CHECK(event == NULL);
    /* A second time changes nothing. */
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    pmq_client_free(&client);
}

static void properties_travel(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pmq_message *message = check_message("a/p", "answer me", 1), *copy = NULL;
    pmq_properties *list = NULL;
    const pmq_properties *seen;
    pmq_event *event;
    size_t len = 0;

    check_subscribe(client, "a/p");
    OK(pmq_properties_new(&list, &error));
    OK(pmq_properties_add_data(list, 8, "answers", 7, &error));
    OK(pmq_properties_add_data(list, 9, "42", 2, &error));
    OK(pmq_properties_add_user(list, "k", PMQ_Z, "v", PMQ_Z, &error));
    OK(pmq_message_set_properties(message, list, &error));
    pmq_properties_free(&list);
    OK(pmq_client_publish(client, message, NULL, &error));
    pmq_message_free(&message);

    event = check_event(client, PMQ_EVENT_MESSAGE);
    seen = pmq_message_properties(pmq_event_message(event));
    CHECK(memcmp(pmq_properties_data(seen, pmq_properties_find(seen, 8, 0), &len), "answers", 7) == 0 && len == 7);
    CHECK(memcmp(pmq_properties_data(seen, pmq_properties_find(seen, 9, 0), &len), "42", 2) == 0 && len == 2);
    CHECK(pmq_properties_find(seen, 38, 0) < pmq_properties_count(seen));
    /* A received message may be sent on, without the subscription identifier that it came with. */
    CHECK(pmq_properties_find(seen, 11, 0) < pmq_properties_count(seen));
    OK(pmq_message_clone(pmq_event_message(event), &copy, &error));
    pmq_event_free(&event);
    OK(pmq_message_set_payload(copy, "again", 5, &error));
    OK(pmq_client_publish(client, copy, NULL, &error));
    pmq_message_free(&copy);
    event = check_event(client, PMQ_EVENT_MESSAGE);
    CHECK(payload_is(event, "again"));
    pmq_event_free(&event);
    pmq_client_free(&client);
}

struct seen {
    int connected, subscribed, published, messages, other;
};

static void note(const pmq_event *event, void *userdata) {
    struct seen *seen = userdata;
    switch (pmq_event_type(event)) {
    case PMQ_EVENT_CONNECTED: seen->connected++; break;
    case PMQ_EVENT_SUBSCRIBED: seen->subscribed++; break;
    case PMQ_EVENT_PUBLISHED: seen->published++; break;
    case PMQ_EVENT_MESSAGE: seen->messages++; break;
    default: seen->other++; break;
    }
}

/* The descriptor is readable as long as an event waits, and no longer. */
static void by_descriptor(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    struct seen seen = {0, 0, 0, 0, 0};
    const char *filter = "fd";
    uint64_t token = 0;
    size_t count = 0, handled = 0;
    int fd = -1, again = -1, i;

    OK(pmq_client_fd(client, &fd, &error));
    OK(pmq_client_fd(client, &again, &error));
    CHECK(fd >= 0 && fd == again);
    OK(pmq_client_subscribe(client, &filter, 1, 1, 0, NULL, &token, &error));
    while (seen.subscribed == 0) {
        CHECK(is_readable(fd, PATIENCE));
        OK(pmq_client_dispatch(client, note, &seen, 0, &count, &error));
    }
    CHECK(seen.connected == 1);
    CHECK(!is_readable(fd, 0));
    OK(pmq_client_dispatch(client, note, &seen, 0, &count, &error));
    CHECK(count == 0);

    for (i = 0; i < 10; i++) {
        check_publish(client, "fd", "x");
    }
    while (seen.messages < 10 || seen.published < 10) {
        CHECK(is_readable(fd, PATIENCE));
        CHECK(is_readable(fd, 0));
        OK(pmq_client_dispatch(client, note, &seen, 1, &count, &error));
        CHECK(count == 1);
        handled += count;
    }
    CHECK(handled == 20 && seen.other == 0);
    CHECK(!is_readable(fd, 0));
    FAILS(pmq_client_dispatch(client, NULL, NULL, 0, &count, &error), PMQ_STATUS_NULL);
    pmq_client_free(&client);
}

/* MQTT 3.x has no properties: a subscribe that asks for some is not sent, and an unsubscribe is, without them. */
static void properties_need_v5(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client, *other = check_connect(url);
    pmq_event *event = NULL;
    pmq_properties *list = NULL;
    const char *filter = "t";
    uint64_t token = 0;
    OK(pmq_options_set_protocol(options, PMQ_PROTOCOL_V311, &error));
    client = check_client(options);
    pmq_options_free(&options);
    OK(pmq_properties_new(&list, &error));
    OK(pmq_client_subscribe(client, &filter, 1, 1, 0, list, &token, &error));
    OK(pmq_client_wait(client, token, PATIENCE, NULL, &error));
    OK(pmq_properties_add_user(list, "k", PMQ_Z, "v", PMQ_Z, &error));
    OK(pmq_client_subscribe(client, &filter, 1, 1, 0, list, &token, &error));
    FAILS(pmq_client_wait(client, token, PATIENCE, NULL, &error), PMQ_STATUS_NOT_SUPPORTED);
    OK(pmq_client_unsubscribe(client, &filter, 1, list, &token, &error));
    OK(pmq_client_wait(client, token, PATIENCE, NULL, &error));
    /* Nobody subscribes any more, and the broker says so. */
    OK(pmq_client_wait(other, check_publish(other, filter, "x"), PATIENCE, &event, &error));
    CHECK(pmq_event_reason(event) == 0x10);
    pmq_event_free(&event);
    pmq_properties_free(&list);
    pmq_client_free(&client);
    pmq_client_free(&other);
}

static void time_runs_out(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pmq_event *event = NULL;
    check_skip(client, PMQ_EVENT_CONNECTED);
    FAILS(pmq_client_next_event(client, 0, &event, &error), PMQ_STATUS_TIMEOUT);
    FAILS(pmq_client_next_event(client, 1, &event, &error), PMQ_STATUS_TIMEOUT);
    CHECK(event == NULL);
    pmq_client_free(&client);
}

/* Without anything to do it is without a connection, and comes back for the next publish. */
static void idleness(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    pmq_event *event;
    OK(pmq_options_set_idle_disconnect(options, 1, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    event = check_event(client, PMQ_EVENT_DISCONNECTED);
    CHECK(pmq_event_error(event) == NULL);
    pmq_event_free(&event);
    CHECK(check_state(client) == PMQ_STATE_IDLE);
    OK(pmq_client_wait(client, check_publish(client, "t", "x"), PATIENCE, NULL, &error));
    check_skip(client, PMQ_EVENT_CONNECTED);
    check_skip(client, PMQ_EVENT_DISCONNECTED);
    pmq_client_free(&client);
}

static void older_versions(const char *url) {
    int versions[] = {PMQ_PROTOCOL_V31, PMQ_PROTOCOL_V311}, i;
    for (i = 0; i < 2; i++) {
        pmq_error *error = NULL;
        pmq_options *options = check_options(url);
        pmq_client *client;
        pmq_event *event;
        OK(pmq_options_set_protocol(options, versions[i], &error));
        client = check_client(options);
        pmq_options_free(&options);
        event = check_event(client, PMQ_EVENT_CONNECTED);
        CHECK(pmq_event_protocol(event) == versions[i]);
        pmq_event_free(&event);
        OK(pmq_client_wait(client, check_publish(client, "t", "x"), PATIENCE, NULL, &error));
        pmq_client_free(&client);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    one_round(argv[1]);
    properties_travel(argv[1]);
    by_descriptor(argv[1]);
    properties_need_v5(argv[1]);
    time_runs_out(argv[1]);
    idleness(argv[1]);
    older_versions(argv[1]);
    return check_result();
}
