/* What options make of the packets that are sent, and of what happens. argv[1]: where nobody listens; argv[2] and argv[3]: host
 * and port of a server that shows the harness what it receives; argv[4]: one that has moved there; argv[5]: one that never
 * answers. */
#include "check.h"

/* At first each address leads elsewhere. */
static pmq_options *elsewhere_too(char **argv) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(argv[1]);
    OK(pmq_options_add_address(options, argv[2], PMQ_Z, (uint16_t)atoi(argv[3]), &error));
    OK(pmq_options_set_reconnect(options, 1, 10, 100, PMQ_FOREVER, &error));
    return options;
}

static void connect_shows_them(char **argv) {
    pmq_error *error = NULL;
    pmq_options *options = elsewhere_too(argv);
    pmq_properties *list = NULL;
    pmq_message *will = check_message("gone", "bye", 1);
    pmq_client *client;
    OK(pmq_properties_new(&list, &error));
    OK(pmq_properties_add_number(list, 2, 5, &error));
    OK(pmq_message_set_properties(will, list, &error));
    OK(pmq_message_set_retain(will, true, &error));
    pmq_properties_free(&list);
    OK(pmq_options_set_will(options, will, 3, &error));
    pmq_message_free(&will);
    OK(pmq_options_set_client_id_prefix(options, "dev-", PMQ_Z, &error));
    OK(pmq_options_set_credentials(options, "user", PMQ_Z, "\0\1", 2, &error));
    OK(pmq_options_set_clean_start(options, false, &error));
    OK(pmq_options_set_session_expiry(options, 90, &error));
    OK(pmq_options_set_keep_alive(options, 30, &error));
    OK(pmq_options_set_receive_maximum(options, 10, &error));
    OK(pmq_options_set_max_packet(options, 1000, &error));
    OK(pmq_options_set_topic_alias_max(options, 5, &error));
    OK(pmq_options_add_user_property(options, "a", PMQ_Z, "b", PMQ_Z, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    harness("CONNECT");
    pmq_client_free(&client);
}

static void publishes_show_topic_aliases(char **argv) {
    pmq_error *error = NULL;
    pmq_options *options = elsewhere_too(argv);
    pmq_client *client;
    int i;
    OK(pmq_options_set_outgoing_topic_aliases(options, 1, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    for (i = 0; i < 2; i++) {
        OK(pmq_client_wait(client, check_publish(client, "alias/topic", "x"), PATIENCE, NULL, &error));
    }
    harness("aliases");
    pmq_client_free(&client);
}

/* What the server has not acknowledged when it loses the session is given up, or published anew. */
static void lost_sessions(char **argv, bool republish) {
    pmq_error *error = NULL;
    pmq_options *options = elsewhere_too(argv);
    pmq_message *bye = check_message("bye", "x", 0);
    pmq_client *client;
    uint64_t token;
    OK(pmq_options_set_republish(options, republish, &error));
    OK(pmq_options_set_completions(options, PMQ_COMPLETIONS_WAIT, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    token = check_publish(client, "silent", "x");
    OK(pmq_client_publish(client, bye, NULL, &error));
    pmq_message_free(&bye);
    check_skip(client, PMQ_EVENT_CONNECTED);
    if (republish) {
        /* The server answers in order. */
        OK(pmq_client_wait(client, check_publish(client, "t", "x"), PATIENCE, NULL, &error));
        FAILS(pmq_client_wait(client, token, 0, NULL, &error), PMQ_STATUS_TIMEOUT);
        /* Nor will the server answer until the end. */
        FAILS(pmq_client_stop(client, 0, &error), PMQ_STATUS_UNFINISHED);
    } else {
        FAILS(pmq_client_wait(client, token, PATIENCE, NULL, &error), PMQ_STATUS_DROPPED);
    }
    pmq_client_free(&client);
}

static void server_references(char **argv) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(argv[4]);
    pmq_client *client = check_client(options);
    pmq_event *event = check_event(client, PMQ_EVENT_STOPPED);
    char expected[64];
    size_t len = 0;
    const char *address;
    CHECK(pmq_error_reason(pmq_event_error(event)) == 0x9D);
    pmq_event_free(&event);
    pmq_client_free(&client);

    OK(pmq_options_set_follow_server_reference(options, true, &error));
    client = check_client(options);
    pmq_options_free(&options);
    event = check_event(client, PMQ_EVENT_CONNECTED);
    address = pmq_event_address(event, &len);
    snprintf(expected, sizeof expected, "%s:%s", argv[2], argv[3]);
    CHECK(len == strlen(expected) && memcmp(address, expected, len) == 0);
    pmq_event_free(&event);
    pmq_client_free(&client);
}

static void connect_timeout(char **argv) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(argv[5]);
    pmq_client *client;
    pmq_event *event;
    OK(pmq_options_set_connect_timeout(options, 150, &error));
    client = check_client(options);
    pmq_options_free(&options);
    event = check_event(client, PMQ_EVENT_RECONNECTING);
    CHECK(strstr(pmq_error_message(pmq_event_error(event)), "did not answer within 150ms") != NULL);
    pmq_event_free(&event);
    pmq_client_free(&client);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        return 2;
    }
    connect_shows_them(argv);
    publishes_show_topic_aliases(argv);
    lost_sessions(argv, false);
    lost_sessions(argv, true);
    server_references(argv);
    connect_timeout(argv);
    return check_result();
}
