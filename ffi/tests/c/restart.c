/* The broker is killed and comes back: the client too, with its subscriptions, and no publish is lost. */
#include "check.h"

/* The subscription is over with the session; the program makes it again when it likes. */
static void without_resubscribe(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client, *other;
    pmq_event *event;
    OK(pmq_options_set_reconnect(options, 10, 100, 100, PMQ_FOREVER, &error));
    OK(pmq_options_set_resubscribe(options, false, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    check_subscribe(client, "t");
    harness("kill");
    check_skip(client, PMQ_EVENT_DISCONNECTED);
    harness("start");
    event = check_event(client, PMQ_EVENT_CONNECTED);
    CHECK(!pmq_event_session_present(event));
    pmq_event_free(&event);
    /* Nobody subscribes to it, and the server says so. */
    other = check_connect(url);
    OK(pmq_client_wait(other, check_publish(other, "t", "lost"), PATIENCE, &event, &error));
    CHECK(pmq_event_reason(event) == 0x10);
    pmq_event_free(&event);
    check_subscribe(client, "t");
    OK(pmq_client_wait(other, check_publish(other, "t", "heard"), PATIENCE, NULL, &error));
    event = check_event(client, PMQ_EVENT_MESSAGE);
    CHECK(payload_is(event, "heard"));
    pmq_event_free(&event);
    pmq_client_free(&other);
    pmq_client_free(&client);
}

int main(int argc, char **argv) {
    pmq_error *error = NULL;
    pmq_options *options;
    pmq_client *client;
    pmq_event *event;
    uint64_t tokens[10];
    int i, messages = 0, connected = 0;

    if (argc != 2) {
        return 2;
    }
    options = check_options(argv[1]);
    OK(pmq_options_set_reconnect(options, 10, 100, 100, PMQ_FOREVER, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    check_subscribe(client, "t");

    harness("kill");
    event = check_event(client, PMQ_EVENT_DISCONNECTED);
    CHECK(pmq_event_status(event) == PMQ_STATUS_CONNECTION);
    CHECK(strstr(pmq_error_message(pmq_event_error(event)), "lost the connection") != NULL);
    CHECK(pmq_event_properties(event) == NULL);
    pmq_event_free(&event);
    event = check_event(client, PMQ_EVENT_RECONNECTING);
    CHECK(pmq_event_attempt(event) == 1 && pmq_event_delay_ms(event) <= 10);
    CHECK(pmq_event_error(event) != NULL);
    pmq_event_free(&event);
    /* There is nobody, and the next one says so. */
    event = check_event(client, PMQ_EVENT_RECONNECTING);
    CHECK(pmq_event_status(event) == PMQ_STATUS_CONNECTION && pmq_error_errno(pmq_event_error(event)) != 0);
    pmq_event_free(&event);
    for (i = 0; i < 10; i++) {
        tokens[i] = check_publish(client, "t", "x");
    }

    harness("start");
    while (messages < 10 || connected == 0) {
        OK(pmq_client_next_event(client, PATIENCE, &event, &error));
        messages += pmq_event_type(event) == PMQ_EVENT_MESSAGE;
        if (pmq_event_type(event) == PMQ_EVENT_CONNECTED) {
            /* It knows nothing of us any more. */
            CHECK(!pmq_event_session_present(event));
            connected++;
        }
        if (pmq_event_type(event) == PMQ_EVENT_PUBLISHED) {
            CHECK(pmq_event_status(event) == PMQ_STATUS_OK);
            for (i = 0; i < 10; i++) {
                tokens[i] = tokens[i] == pmq_event_token(event) ? 0 : tokens[i];
            }
        }
        if (event == NULL) {
            break;
        }
        pmq_event_free(&event);
    }
    CHECK(connected == 1);
    for (i = 0; i < 10; i++) {
        if (tokens[i] != 0) {
            OK(pmq_client_wait(client, tokens[i], PATIENCE, NULL, &error));
        }
    }
    CHECK(check_stat(client, PMQ_STAT_RECONNECTS) == 1);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    without_resubscribe(argv[1]);
    return check_result();
}
