/* What servers say no to. argv[1]: a server that refuses filters beginning with "no/", acknowledges publishes to "no/" with
 * 0x87, and ends the connection of who publishes to "bye"; argv[2]: one that refuses every client with 0x86; argv[3]: where
 * nobody listens; argv[4]: a server that takes packets of 32 bytes at most. */
#include <errno.h>

#include "check.h"

/* The Reason String and the User Property with which the server gave its reason. */
static void check_why(const pmq_event *event) {
    const pmq_properties *seen = pmq_event_properties(event);
    size_t len = 0;
    CHECK(pmq_properties_count(seen) == 2 && pmq_properties_id(seen, 0) == 31 && pmq_properties_id(seen, 1) == 38);
    CHECK(memcmp(pmq_properties_data(seen, 0, &len), "enough", 6) == 0 && len == 6);
    CHECK(memcmp(pmq_properties_name(seen, 1, &len), "by", 2) == 0 && len == 2);
    CHECK(memcmp(pmq_properties_data(seen, 1, &len), "me", 2) == 0 && len == 2);
}

/* The server has sent back the User Property of the request. */
static void check_echo(pmq_client *client, uint64_t token, pmq_event_kind kind) {
    pmq_error *error = NULL;
    pmq_event *event = NULL;
    const pmq_properties *seen;
    size_t len = 0;
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    CHECK(pmq_event_type(event) == kind && pmq_event_status(event) == PMQ_STATUS_OK);
    seen = pmq_event_properties(event);
    CHECK(pmq_properties_count(seen) == 1 && pmq_properties_id(seen, 0) == 38);
    CHECK(memcmp(pmq_properties_name(seen, 0, &len), "k", 1) == 0 && len == 1);
    CHECK(memcmp(pmq_properties_data(seen, 0, &len), "v", 1) == 0 && len == 1);
    pmq_event_free(&event);
}

static void properties(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    const char *filter = "yes";
    pmq_properties *list = NULL;
    uint64_t token = 0, refused = 0;
    OK(pmq_properties_new(&list, &error));
    OK(pmq_properties_add_user(list, "k", PMQ_Z, "v", PMQ_Z, &error));
    OK(pmq_client_subscribe(client, &filter, 1, 1, 0, list, &token, &error));
    check_echo(client, token, PMQ_EVENT_SUBSCRIBED);
    OK(pmq_client_unsubscribe(client, &filter, 1, list, &token, &error));
    check_echo(client, token, PMQ_EVENT_UNSUBSCRIBED);
    /* A Reason String is the server's to send. */
    OK(pmq_properties_add_data(list, 31, "why", 3, &error));
    FAILS(pmq_client_subscribe(client, &filter, 1, 1, 0, list, &refused, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_client_unsubscribe(client, &filter, 1, list, &refused, &error), PMQ_STATUS_PROPERTY);
    OK(pmq_properties_remove(list, 1, &error));
    /* The library has Subscription Identifiers of its own. */
    OK(pmq_properties_add_number(list, 11, 1, &error));
    FAILS(pmq_client_subscribe(client, &filter, 1, 1, 0, list, &refused, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_client_unsubscribe(client, &filter, 1, list, &refused, &error), PMQ_STATUS_PROPERTY);
    CHECK(refused == 0);
    pmq_properties_free(&list);
    pmq_client_free(&client);
}

static void subscriptions(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    const char *filters[] = {"yes", "no/2", "yes/3"};
    const char *bad[] = {"a", "b#"};
    const char *missing[] = {"a", NULL};
    pmq_event *event = NULL;
    const uint8_t *reasons;
    uint64_t token = 0;
    size_t count = 0;

    OK(pmq_client_subscribe(client, filters, 3, 1, 0, NULL, &token, &error));
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    reasons = pmq_event_reasons(event, &count);
    CHECK(count == 3 && reasons[0] == 1 && reasons[1] == 0x87 && reasons[2] == 1);
    CHECK(pmq_event_status(event) == PMQ_STATUS_REFUSED);
    CHECK(pmq_error_reason(pmq_event_error(event)) == 0x87);
    CHECK(strstr(pmq_error_message(pmq_event_error(event)), "no/2") != NULL);
    CHECK(strstr(pmq_error_message(pmq_event_error(event)), "(enough)") != NULL);
    check_why(event);
    pmq_event_free(&event);

    /* Without a result, its error is the call's. */
    OK(pmq_client_subscribe(client, &filters[1], 1, 1, 0, NULL, &token, &error));
    FAILS(pmq_client_wait(client, token, PATIENCE, NULL, &error), PMQ_STATUS_REFUSED);

    /* Refused before anything is sent. */
    token = 0;
    FAILS(pmq_client_subscribe(client, bad, 2, 0, 0, NULL, &token, &error), PMQ_STATUS_TOPIC_FILTER);
    FAILS(pmq_client_subscribe(client, NULL, 0, 0, 0, NULL, &token, &error), PMQ_STATUS_TOPIC_FILTER);
    FAILS(pmq_client_subscribe(client, NULL, 1, 0, 0, NULL, &token, &error), PMQ_STATUS_NULL);
    FAILS(pmq_client_subscribe(client, missing, 2, 0, 0, NULL, &token, &error), PMQ_STATUS_NULL);
    FAILS(pmq_client_subscribe(client, filters, (size_t)-1, 0, 0, NULL, &token, &error), PMQ_STATUS_NULL);
    FAILS(pmq_client_subscribe(client, filters, 1, 3, 0, NULL, &token, &error), PMQ_STATUS_ARGUMENT);
    FAILS(pmq_client_subscribe(client, filters, 1, 0, 0x100, NULL, &token, &error), PMQ_STATUS_ARGUMENT);
    CHECK(token == 0);
    OK(pmq_client_subscribe(client, filters, 1, 0, PMQ_NO_LOCAL | PMQ_RETAINED_NEVER, NULL, &token, &error));
    OK(pmq_client_wait(client, token, PATIENCE, NULL, &error));
    pmq_client_free(&client);
}

static void publishes(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pmq_event *event = NULL;
    uint64_t token = check_publish(client, "no/way", "x");
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    CHECK(pmq_event_status(event) == PMQ_STATUS_REFUSED && pmq_event_reason(event) == 0x87);
    CHECK(pmq_error_reason(pmq_event_error(event)) == 0x87);
    CHECK(pmq_event_properties(event) == NULL);
    pmq_event_free(&event);
    pmq_client_free(&client);
}

static void connections(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pmq_message *message = check_message("bye", "x", 0);
    pmq_event *event;
    check_skip(client, PMQ_EVENT_CONNECTED);
    OK(pmq_client_publish(client, message, NULL, &error));
    pmq_message_free(&message);
    event = check_event(client, PMQ_EVENT_DISCONNECTED);
    CHECK(pmq_error_reason(pmq_event_error(event)) == 0x97);
    check_why(event);
    pmq_event_free(&event);
    event = check_event(client, PMQ_EVENT_RECONNECTING);
    check_why(event);
    pmq_event_free(&event);
    /* Of the next connection nothing is said yet. */
    event = check_event(client, PMQ_EVENT_CONNECTED);
    CHECK(pmq_event_properties(event) == NULL);
    pmq_event_free(&event);
    OK(pmq_client_stop(client, PATIENCE, &error));
    event = check_event(client, PMQ_EVENT_DISCONNECTED);
    CHECK(pmq_event_properties(event) == NULL);
    pmq_event_free(&event);
    pmq_client_free(&client);
}

static void clients(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pmq_event *event = NULL;
    pmq_message *message = check_message("t", "y", 1);
    uint64_t token = 0;
    pmq_status status = pmq_client_publish(client, message, &token, &error);
    /* Trying again would be refused again: it ends at once, and so does everything that waits. It may have ended already. */
    if (status == PMQ_STATUS_OK) {
        status = pmq_client_wait(client, token, PATIENCE, NULL, &error);
    }
    check_fails(status, PMQ_STATUS_STOPPED, &error, "publish", __LINE__);
    event = check_event(client, PMQ_EVENT_STOPPED);
    CHECK(pmq_event_status(event) == PMQ_STATUS_REFUSED);
    CHECK(pmq_error_reason(pmq_event_error(event)) == 0x86);
    check_why(event);
    pmq_event_free(&event);
    FAILS(pmq_client_publish(client, message, &token, &error), PMQ_STATUS_STOPPED);
    pmq_message_free(&message);
    pmq_client_free(&client);
}

static void no_second_attempt(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    pmq_event *event = NULL;
    OK(pmq_options_set_reconnect(options, 0, 0, 100, 0, &error));
    client = check_client(options);
    pmq_options_free(&options);
    OK(pmq_client_next_event(client, PATIENCE, &event, &error));
    CHECK(pmq_event_type(event) == PMQ_EVENT_STOPPED);
    CHECK(pmq_event_status(event) == PMQ_STATUS_CONNECTION);
    CHECK(pmq_error_errno(pmq_event_error(event)) == ECONNREFUSED);
    pmq_event_free(&event);
    pmq_client_free(&client);
}

/* Who waits in vain is told why. */
static void no_connection(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    uint64_t token = check_publish(client, "t", "x");
    check_skip(client, PMQ_EVENT_RECONNECTING);
    CHECK(pmq_client_wait(client, token, 0, NULL, &error) == PMQ_STATUS_TIMEOUT);
    CHECK(strstr(pmq_error_message(error), "no connection") != NULL);
    CHECK(strstr(pmq_error_message(error), "127.0.0.1") != NULL);
    pmq_error_free(&error);
    pmq_client_free(&client);
}

/* What the server has no room for is not sent. An unsubscribe is, without its properties: what is over here is over there. */
static void large_requests(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    const char *large = "a/topic/filter/of/more/than/thirty/bytes";
    const char *small = "yes";
    pmq_event *event = NULL;
    pmq_properties *list = NULL;
    uint64_t token = 0;
    OK(pmq_client_subscribe(client, &large, 1, 1, 0, NULL, &token, &error));
    FAILS(pmq_client_wait(client, token, PATIENCE, NULL, &error), PMQ_STATUS_TOO_LARGE);
    OK(pmq_client_unsubscribe(client, &large, 1, NULL, &token, &error));
    FAILS(pmq_client_wait(client, token, PATIENCE, NULL, &error), PMQ_STATUS_TOO_LARGE);
    OK(pmq_properties_new(&list, &error));
    OK(pmq_properties_add_user(list, "a/name/of/more/than", PMQ_Z, "thirty/bytes", PMQ_Z, &error));
    OK(pmq_client_subscribe(client, &small, 1, 1, 0, list, &token, &error));
    FAILS(pmq_client_wait(client, token, PATIENCE, NULL, &error), PMQ_STATUS_TOO_LARGE);
    check_subscribe(client, small);
    OK(pmq_client_unsubscribe(client, &small, 1, list, &token, &error));
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    CHECK(pmq_event_status(event) == PMQ_STATUS_OK);
    /* The server would have sent back what it was sent. */
    CHECK(pmq_event_properties(event) == NULL);
    pmq_event_free(&event);
    pmq_properties_free(&list);
    pmq_client_free(&client);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        return 2;
    }
    subscriptions(argv[1]);
    properties(argv[1]);
    publishes(argv[1]);
    connections(argv[1]);
    clients(argv[2]);
    no_second_attempt(argv[3]);
    no_connection(argv[3]);
    large_requests(argv[4]);
    return check_result();
}
