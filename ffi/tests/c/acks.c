/* Messages that the program acknowledges itself. argv[1]: a broker. */
#include "check.h"

static pmq_client *connect_as(const char *url, const char *id, bool clean_start) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    OK(pmq_options_set_client_id(options, id, PMQ_Z, &error));
    OK(pmq_options_set_clean_start(options, clean_start, &error));
    OK(pmq_options_set_session_expiry(options, 60, &error));
    OK(pmq_options_set_manual_ack(options, true, &error));
    client = check_client(options);
    pmq_options_free(&options);
    return client;
}

int main(int argc, char **argv) {
    pmq_error *error = NULL;
    pmq_client *client;
    pmq_event *first, *second, *event;
    pmq_message *message = check_message("m", "0", 0);

    if (argc != 2) {
        return 2;
    }
    client = connect_as(argv[1], "acks", true);
    event = check_event(client, PMQ_EVENT_CONNECTED);
    FAILS(pmq_event_ack(event, 0, &error), PMQ_STATUS_ARGUMENT);
    FAILS(pmq_event_reject(event, 0x80, "why", PMQ_Z, &error), PMQ_STATUS_ARGUMENT);
    pmq_event_free(&event);
    check_subscribe(client, "m");

    /* QoS 0 owes nothing. */
    OK(pmq_client_publish(client, message, NULL, &error));
    event = check_event(client, PMQ_EVENT_MESSAGE);
    OK(pmq_event_ack(event, 0, &error));
    OK(pmq_event_ack(event, 0, &error));
    pmq_event_free(&event);

    /* Taken, refused, and forgotten. */
    check_publish(client, "m", "1");
    first = check_event(client, PMQ_EVENT_MESSAGE);
    OK(pmq_event_ack(first, 0, &error));
    FAILS(pmq_event_ack(first, 0, &error), PMQ_STATUS_ANSWERED);
    FAILS(pmq_event_ack(first, 0x80, &error), PMQ_STATUS_ANSWERED);
    pmq_event_free(&first);
    check_publish(client, "m", "2");
    event = check_event(client, PMQ_EVENT_MESSAGE);
    OK(pmq_event_ack(event, 0x99, &error));
    pmq_event_free(&event);
    check_publish(client, "m", "in words");
    event = check_event(client, PMQ_EVENT_MESSAGE);
    FAILS(pmq_event_reject(event, 0x10, "no reason to reject", PMQ_Z, &error), PMQ_STATUS_ARGUMENT);
    FAILS(pmq_event_reject(event, 0x99, "a\0b", 3, &error), PMQ_STATUS_ARGUMENT);
    OK(pmq_event_reject(event, 0x99, "not UTF-8", PMQ_Z, &error));
    FAILS(pmq_event_reject(event, 0x99, "not UTF-8", PMQ_Z, &error), PMQ_STATUS_ANSWERED);
    pmq_event_free(&event);
    check_publish(client, "m", "3");
    event = check_event(client, PMQ_EVENT_MESSAGE);
    OK(pmq_event_clone(event, &second, &error));
    pmq_event_free(&event);
    CHECK(payload_is(second, "3"));
    pmq_event_free(&second);
    /* A round trip later, the client has counted it. */
    OK(pmq_client_wait(client, check_publish(client, "m", "4"), PATIENCE, NULL, &error));
    CHECK(check_stat(client, PMQ_STAT_UNANSWERED) == 1);

    /* What is not acknowledged comes again in the next connection of the session. */
    event = check_event(client, PMQ_EVENT_MESSAGE);
    CHECK(payload_is(event, "4") && !pmq_message_dup(pmq_event_message(event)));
    OK(pmq_client_stop(client, PATIENCE, &error));
    /* Too late, without effect and without harm. */
    OK(pmq_event_ack(event, 0, &error));
    pmq_event_free(&event);
    pmq_client_free(&client);
    client = connect_as(argv[1], "acks", false);
    event = check_event(client, PMQ_EVENT_CONNECTED);
    CHECK(pmq_event_session_present(event));
    pmq_event_free(&event);
    check_subscribe(client, "m");
    event = check_event(client, PMQ_EVENT_MESSAGE);
    CHECK(payload_is(event, "4") && pmq_message_dup(pmq_event_message(event)));
    OK(pmq_event_ack(event, 0, &error));
    pmq_event_free(&event);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    pmq_message_free(&message);
    return check_result();
}
