/* Requests, and each way in which they end. argv[1]: a broker; argv[2]: a server that refuses filters that begin with "no/". */
#include "check.h"

/* Publishes `payload` as the response to a request. */
static void respond(pmq_client *client, const pmq_event *request, const char *payload, size_t payload_len) {
    pmq_error *error = NULL;
    const pmq_properties *asked = pmq_message_properties(pmq_event_message(request));
    pmq_properties *answered = NULL;
    pmq_message *message = NULL;
    size_t len = 0;
    const void *data = pmq_properties_data(asked, pmq_properties_find(asked, 9, 0), &len);
    CHECK(data != NULL && len == 16);
    OK(pmq_properties_new(&answered, &error));
    OK(pmq_properties_add_data(answered, 9, data, len, &error));
    data = pmq_properties_data(asked, pmq_properties_find(asked, 8, 0), &len);
    OK(pmq_message_new(data, len, payload, payload_len, &message, &error));
    OK(pmq_message_set_properties(message, answered, &error));
    OK(pmq_client_publish(client, message, NULL, &error));
    pmq_properties_free(&answered);
    pmq_message_free(&message);
}

/* Serves the next request. */
static void serve(pmq_client *client, const char *question, const char *answer, size_t answer_len) {
    pmq_event *event = check_event(client, PMQ_EVENT_MESSAGE);
    CHECK(payload_is(event, question));
    respond(client, event, answer, answer_len);
    pmq_event_free(&event);
}

static uint64_t ask(pmq_client *client, const char *topic, const char *question, uint32_t timeout_ms) {
    pmq_error *error = NULL;
    pmq_message *message = check_message(topic, question, 1);
    uint64_t token = 0;
    OK(pmq_client_request(client, message, timeout_ms, &token, &error));
    CHECK(token != 0);
    pmq_message_free(&message);
    return token;
}

static pmq_event *await(pmq_client *client, uint64_t token) {
    pmq_error *error = NULL;
    pmq_event *event = NULL;
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    CHECK(pmq_event_type(event) == PMQ_EVENT_RESPONSE && pmq_event_token(event) == token);
    return event;
}

static void fails(pmq_client *client, uint64_t token, pmq_status status, uint8_t reason) {
    pmq_event *event = await(client, token);
    CHECK(pmq_event_status(event) == status && pmq_event_message(event) == NULL);
    CHECK(pmq_error_reason(pmq_event_error(event)) == reason);
    pmq_event_free(&event);
}

static void answers(pmq_client *client, pmq_client *device) {
    pmq_error *error = NULL;
    pmq_event *event;
    uint64_t first = ask(client, "q", "1", PMQ_FOREVER), second = ask(client, "q", "2", PATIENCE);

    serve(device, "1", "one", 3);
    event = await(client, first);
    CHECK(pmq_event_status(event) == PMQ_STATUS_OK && payload_is(event, "one"));
    /* It was acknowledged already. */
    FAILS(pmq_event_ack(event, 0, &error), PMQ_STATUS_ARGUMENT);
    pmq_event_free(&event);
    FAILS(pmq_client_wait(client, first, 0, NULL, &error), PMQ_STATUS_TOKEN);

    serve(device, "2", "two", 3);
    event = check_event(client, PMQ_EVENT_RESPONSE);
    CHECK(pmq_event_token(event) == second && payload_is(event, "two"));
    pmq_event_free(&event);
}

static void no_answer(pmq_client *client, pmq_client *device) {
    pmq_error *error = NULL;
    pmq_event *late, *event = NULL;
    uint64_t token = ask(client, "q", "late", 1), other;
    fails(client, token, PMQ_STATUS_TIMEOUT, 0);
    late = check_event(device, PMQ_EVENT_MESSAGE);
    respond(device, late, "too late", 8);
    pmq_event_free(&late);

    /* Neither does one come that was given up, nor is it missed. */
    token = ask(client, "q", "given up", PMQ_FOREVER);
    OK(pmq_client_cancel(client, token, NULL, &error));
    FAILS(pmq_client_wait(client, token, PMQ_FOREVER, NULL, &error), PMQ_STATUS_TOKEN);
    other = ask(client, "q", "next", PATIENCE);
    event = check_event(device, PMQ_EVENT_MESSAGE);
    if (payload_is(event, "given up")) {
        respond(device, event, "in vain", 7);
        pmq_event_free(&event);
        event = check_event(device, PMQ_EVENT_MESSAGE);
    }
    CHECK(payload_is(event, "next"));
    respond(device, event, "heard", 5);
    pmq_event_free(&event);
    event = check_event(client, PMQ_EVENT_RESPONSE);
    CHECK(pmq_event_token(event) == other && payload_is(event, "heard"));
    pmq_event_free(&event);

    fails(client, ask(client, "nobody/here", "x", PATIENCE), PMQ_STATUS_REFUSED, 0x10);
}

static void refused_at_once(pmq_client *client, const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_message *message = check_message("q", "x", 1);
    pmq_properties *list = NULL;
    pmq_client *older;
    uint64_t token = 0;

    FAILS(pmq_client_request(client, message, 1, NULL, &error), PMQ_STATUS_NULL);
    FAILS(pmq_client_request(client, NULL, 1, &token, &error), PMQ_STATUS_NULL);
    OK(pmq_options_set_protocol(options, PMQ_PROTOCOL_V311, &error));
    older = check_client(options);
    FAILS(pmq_client_request(older, message, 1, &token, &error), PMQ_STATUS_NOT_SUPPORTED);
    OK(pmq_properties_new(&list, &error));
    OK(pmq_properties_add_data(list, 9, "mine", 4, &error));
    OK(pmq_message_set_properties(message, list, &error));
    FAILS(pmq_client_request(client, message, 1, &token, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_options_set_response_topic(options, "a/+", PMQ_Z, &error), PMQ_STATUS_TOPIC_NAME);
    CHECK(token == 0);
    pmq_properties_free(&list);
    pmq_message_free(&message);
    pmq_client_free(&older);
    pmq_options_free(&options);
}

/* A server that sends more than the program has room for fills no memory. */
static void too_much(const char *url, pmq_client *device) {
    static const char large[50000];
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    uint64_t token;
    OK(pmq_options_set_queue(options, 10, sizeof large, PMQ_ON_FULL_REFUSE, &error));
    client = check_client(options);
    pmq_options_free(&options);
    token = ask(client, "q", "all of it", PATIENCE);
    serve(device, "all of it", large, sizeof large);
    fails(client, token, PMQ_STATUS_DROPPED, 0);
    pmq_client_free(&client);
}

static void no_response_topic(const char *refusing) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(refusing);
    pmq_client *client;
    OK(pmq_options_set_response_topic(options, "no/responses", PMQ_Z, &error));
    client = check_client(options);
    pmq_options_free(&options);
    fails(client, ask(client, "q", "x", PMQ_FOREVER), PMQ_STATUS_REFUSED, 0x87);
    pmq_client_free(&client);
}

static void stopped(pmq_client *client) {
    pmq_error *error = NULL;
    uint64_t token = ask(client, "q", "never answered", PMQ_FOREVER);
    OK(pmq_client_stop(client, PATIENCE, &error));
    fails(client, token, PMQ_STATUS_STOPPED, 0);
}

int main(int argc, char **argv) {
    pmq_client *client, *device;
    if (argc != 3) {
        return 2;
    }
    client = check_connect(argv[1]);
    device = check_connect(argv[1]);
    check_subscribe(device, "q");
    answers(client, device);
    no_answer(client, device);
    refused_at_once(client, argv[1]);
    too_much(argv[1], device);
    no_response_topic(argv[2]);
    stopped(client);
    pmq_client_free(&client);
    pmq_client_free(&device);
    return check_result();
}
