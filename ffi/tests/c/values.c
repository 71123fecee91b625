/* The library about itself, topics, properties, messages, options: in their good and their bad ways. */
#include "check.h"

static void the_library(void) {
    CHECK(strcmp(pmq_version(), "0.1.0") == 0);
    CHECK(pmq_version_number() == 0x000100);
    CHECK(pmq_abi() == 0);
    CHECK((pmq_features() & ~(uint32_t)(PMQ_FEATURE_TLS | PMQ_FEATURE_WEBSOCKET | PMQ_FEATURE_PROXY)) == 0);
    CHECK(strcmp(pmq_status_name(PMQ_STATUS_TOPIC_FILTER), "PMQ_STATUS_TOPIC_FILTER") == 0);
    CHECK(strcmp(pmq_status_name(-999), "unknown status") == 0);
    CHECK(strcmp(pmq_reason_name(0x87), "Not authorized") == 0);
    CHECK(strcmp(pmq_reason_name(0x7f), "unknown") == 0);
    CHECK(!pmq_reason_is_error(0x10));
    CHECK(pmq_reason_is_error(0x80));
}

static void errors(void) {
    pmq_error *error = NULL;
    CHECK(pmq_topic_name_check("a/+", 3, &error) == PMQ_STATUS_TOPIC_NAME);
    CHECK(pmq_error_status(error) == PMQ_STATUS_TOPIC_NAME);
    CHECK(strcmp(pmq_error_message(error), "topic name contains a wildcard") == 0);
    CHECK(pmq_error_reason(error) == 0 && pmq_error_errno(error) == 0 && pmq_error_panic(error) == NULL);
    pmq_error_free(&error);
    CHECK(error == NULL);
    pmq_error_free(&error);
    pmq_error_free(NULL);
    /* Nobody has to want it. */
    CHECK(pmq_topic_name_check("a/+", 3, NULL) == PMQ_STATUS_TOPIC_NAME);
    CHECK(pmq_error_status(NULL) == PMQ_STATUS_OK && strcmp(pmq_error_message(NULL), "") == 0);
}

static void topics(void) {
    pmq_error *error = NULL;
    bool answer = false;

    OK(pmq_topic_name_check("a/b", 3, &error));
    OK(pmq_topic_name_check("a/b", PMQ_Z, &error));
    FAILS(pmq_topic_name_check("a/+", PMQ_Z, &error), PMQ_STATUS_TOPIC_NAME);
    FAILS(pmq_topic_name_check("a\0b", 3, &error), PMQ_STATUS_TOPIC_NAME);
    FAILS(pmq_topic_name_check("\xff", 1, &error), PMQ_STATUS_NOT_UTF8);
    FAILS(pmq_topic_name_check(NULL, 0, &error), PMQ_STATUS_TOPIC_NAME);
    FAILS(pmq_topic_name_check(NULL, 3, &error), PMQ_STATUS_NULL);
    FAILS(pmq_topic_name_check(NULL, PMQ_Z, &error), PMQ_STATUS_NULL);
    FAILS(pmq_topic_name_check("a", (size_t)-2, &error), PMQ_STATUS_NULL);

    OK(pmq_topic_filter_check("a/#", 3, &error));
    FAILS(pmq_topic_filter_check("a#", 2, &error), PMQ_STATUS_TOPIC_FILTER);
    FAILS(pmq_topic_filter_check("$share//a", PMQ_Z, &error), PMQ_STATUS_TOPIC_FILTER);

    OK(pmq_topic_matches("a/#", PMQ_Z, "a", PMQ_Z, &answer, &error));
    CHECK(answer);
    OK(pmq_topic_matches("+/x", PMQ_Z, "$SYS/x", PMQ_Z, &answer, &error));
    CHECK(!answer);
    OK(pmq_topic_matches("$share/g/a/+", PMQ_Z, "a/b", PMQ_Z, &answer, &error));
    CHECK(answer);
    FAILS(pmq_topic_matches("a/#", PMQ_Z, "a", PMQ_Z, NULL, &error), PMQ_STATUS_NULL);
    FAILS(pmq_topic_matches("a#", PMQ_Z, "a", PMQ_Z, &answer, &error), PMQ_STATUS_TOPIC_FILTER);
    CHECK(answer);
}

static void properties(void) {
    pmq_error *error = NULL;
    pmq_properties *list = NULL, *copy = NULL;
    size_t len = 0, place;

    OK(pmq_properties_new(&list, &error));
    OK(pmq_properties_add_number(list, 2, 3600, &error));
    OK(pmq_properties_add_data(list, 9, "\0id", 3, &error));
    OK(pmq_properties_add_user(list, "tenant", PMQ_Z, "7", 1, &error));
    OK(pmq_properties_add_user(list, "tenant", PMQ_Z, "", 0, &error));

    FAILS(pmq_properties_add_number(list, 99, 1, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_properties_add_number(list, 3, 1, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_properties_add_number(list, 1, 2, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_properties_add_data(list, 2, "x", 1, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_properties_add_data(list, 3, "\xff", 1, &error), PMQ_STATUS_NOT_UTF8);
    FAILS(pmq_properties_add_data(list, 8, "a/+", 3, &error), PMQ_STATUS_TOPIC_NAME);
    FAILS(pmq_properties_add_data(list, 38, "x", 1, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_properties_add_user(list, "a\0b", 3, "", 0, &error), PMQ_STATUS_PROPERTY);

    CHECK(pmq_properties_count(list) == 4);
    CHECK(pmq_properties_id(list, 0) == 2 && pmq_properties_number(list, 0) == 3600);
    CHECK(memcmp(pmq_properties_data(list, 1, &len), "\0id", 3) == 0 && len == 3);
    place = pmq_properties_find(list, 38, 0);
    CHECK(place == 2);
    CHECK(memcmp(pmq_properties_name(list, place, &len), "tenant", 6) == 0 && len == 6);
    CHECK(memcmp(pmq_properties_data(list, place, NULL), "7", 1) == 0);
    place = pmq_properties_find(list, 38, place + 1);
    CHECK(place == 3);
    CHECK(pmq_properties_data(list, place, &len) != NULL && len == 0);
    CHECK(pmq_properties_find(list, 38, place + 1) == pmq_properties_count(list));
    CHECK(pmq_properties_find(list, 38, (size_t)-1) == pmq_properties_count(list));
    CHECK(pmq_properties_id(list, 4) == 0 && pmq_properties_data(list, 4, &len) == NULL);

    /* Together in PUBLISH, and a Message Expiry Interval not in SUBSCRIBE. */
    OK(pmq_properties_check(list, 3, &error));
    FAILS(pmq_properties_check(list, 8, &error), PMQ_STATUS_PROPERTY);
    FAILS(pmq_properties_check(list, 16, &error), PMQ_STATUS_ARGUMENT);
    OK(pmq_properties_clone(list, &copy, &error));
    OK(pmq_properties_check(copy, 0, &error));
    /* Twice; and only a server says which subscription a message is for. */
    OK(pmq_properties_add_number(copy, 2, 1, &error));
    FAILS(pmq_properties_check(copy, 0, &error), PMQ_STATUS_PROPERTY);
    OK(pmq_properties_remove(copy, 4, &error));
    OK(pmq_properties_add_number(copy, 11, 1, &error));
    FAILS(pmq_properties_check(copy, 3, &error), PMQ_STATUS_PROPERTY);
    pmq_properties_free(&copy);
    OK(pmq_properties_new(&copy, &error));
    OK(pmq_properties_add_number(copy, 19, 60, &error));
    OK(pmq_properties_check(copy, 2, &error));
    FAILS(pmq_properties_check(copy, 1, &error), PMQ_STATUS_PROPERTY);
    pmq_properties_free(&copy);

    OK(pmq_properties_clone(list, &copy, &error));
    pmq_properties_free(&list);
    CHECK(list == NULL);
    pmq_properties_free(&list);
    CHECK(pmq_properties_count(copy) == 4);

    /* From the middle, the front and the end: what stays keeps its value. */
    OK(pmq_properties_remove(copy, 1, &error));
    CHECK(pmq_properties_count(copy) == 3 && pmq_properties_find(copy, 9, 0) == 3);
    CHECK(memcmp(pmq_properties_name(copy, 1, &len), "tenant", 6) == 0 && len == 6);
    CHECK(memcmp(pmq_properties_data(copy, 1, &len), "7", 1) == 0 && len == 1);
    FAILS(pmq_properties_remove(copy, 3, &error), PMQ_STATUS_ARGUMENT);
    FAILS(pmq_properties_remove(copy, (size_t)-1, &error), PMQ_STATUS_ARGUMENT);
    OK(pmq_properties_remove(copy, 0, &error));
    OK(pmq_properties_add_data(copy, 3, "text/plain", 10, &error));
    OK(pmq_properties_remove(copy, 0, &error));
    CHECK(memcmp(pmq_properties_name(copy, 0, &len), "tenant", 6) == 0 && len == 6);
    CHECK(pmq_properties_data(copy, 0, &len) != NULL && len == 0);
    CHECK(memcmp(pmq_properties_data(copy, 1, &len), "text/plain", 10) == 0 && len == 10);
    OK(pmq_properties_remove(copy, 1, &error));
    OK(pmq_properties_remove(copy, 0, &error));
    CHECK(pmq_properties_count(copy) == 0);
    FAILS(pmq_properties_remove(copy, 0, &error), PMQ_STATUS_ARGUMENT);
    pmq_properties_free(&copy);
}

static void messages(void) {
    pmq_error *error = NULL;
    pmq_message *message = NULL, *copy = NULL;
    pmq_properties *list = NULL;
    size_t len = 0;

    FAILS(pmq_message_new("a/#", PMQ_Z, NULL, 0, &message, &error), PMQ_STATUS_TOPIC_NAME);
    FAILS(pmq_message_new("a", PMQ_Z, NULL, 1, &message, &error), PMQ_STATUS_NULL);
    CHECK(message == NULL);
    OK(pmq_message_new("a/b", PMQ_Z, "x\0y", 3, &message, &error));
    CHECK(memcmp(pmq_message_topic(message, &len), "a/b", 3) == 0 && len == 3);
    CHECK(memcmp(pmq_message_payload(message, &len), "x\0y", 3) == 0 && len == 3);
    CHECK(pmq_message_qos(message) == 0 && !pmq_message_retain(message) && !pmq_message_dup(message));
    CHECK(pmq_message_packet_id(message) == 0);
    CHECK(pmq_properties_count(pmq_message_properties(message)) == 0);

    FAILS(pmq_message_set_qos(message, 3, &error), PMQ_STATUS_ARGUMENT);
    OK(pmq_message_set_qos(message, 2, &error));
    OK(pmq_message_set_retain(message, true, &error));
    OK(pmq_properties_new(&list, &error));
    OK(pmq_properties_add_data(list, 3, "text/plain", 10, &error));
    OK(pmq_message_set_properties(message, list, &error));
    /* Not in PUBLISH. */
    OK(pmq_properties_add_number(list, 33, 1, &error));
    FAILS(pmq_message_set_properties(message, list, &error), PMQ_STATUS_PROPERTY);
    pmq_properties_free(&list);

    OK(pmq_message_clone(message, &copy, &error));
    OK(pmq_message_set_topic(message, "c", PMQ_Z, &error));
    FAILS(pmq_message_set_topic(message, "#", PMQ_Z, &error), PMQ_STATUS_TOPIC_NAME);
    OK(pmq_message_set_payload(message, NULL, 0, &error));
    CHECK(*pmq_message_topic(message, &len) == 'c' && len == 1);
    CHECK(pmq_message_payload(message, &len) != NULL && len == 0);
    CHECK(pmq_message_qos(message) == 2 && pmq_message_retain(message));
    CHECK(pmq_properties_id(pmq_message_properties(message), 0) == 3);
    pmq_message_free(&message);
    pmq_message_free(&message);

    CHECK(memcmp(pmq_message_payload(copy, &len), "x\0y", 3) == 0 && len == 3);
    CHECK(pmq_properties_count(pmq_message_properties(copy)) == 1);
    pmq_message_free(&copy);
}

static char large[8192];

static void count_drop(void *userdata) {
    pmq_error *error = NULL;
    pmq_properties *list = NULL;
    /* It cannot call back. */
    FAILS(pmq_properties_new(&list, &error), PMQ_STATUS_BUSY);
    ++*(int *)userdata;
}

static void lent_payloads(void) {
    pmq_error *error = NULL;
    pmq_message *message = check_message("a", "", 0), *copy = NULL;
    size_t len = 0;
    int drops = 0;

    /* What fails takes nothing. */
    FAILS(pmq_message_set_payload_static(NULL, large, sizeof large, count_drop, &drops, &error), PMQ_STATUS_NULL);
    FAILS(pmq_message_set_payload_static(message, NULL, 1, count_drop, &drops, &error), PMQ_STATUS_NULL);
    CHECK(drops == 0);
    OK(pmq_message_set_payload_static(message, large, sizeof large, count_drop, &drops, &error));
    CHECK(pmq_message_payload(message, &len) == large && len == sizeof large);
    /* Nothing of this copies it. */
    OK(pmq_message_clone(message, &copy, &error));
    OK(pmq_message_set_topic(copy, "b", 1, &error));
    OK(pmq_message_set_qos(copy, 1, &error));
    CHECK(pmq_message_payload(copy, &len) == large && len == sizeof large);
    pmq_message_free(&message);
    CHECK(drops == 0);
    OK(pmq_message_set_payload(copy, "x", 1, &error));
    CHECK(drops == 1);
    /* A small one, and one that need not be given back. */
    OK(pmq_message_set_payload_static(copy, "static", 6, count_drop, &drops, &error));
    CHECK(drops == 2 && memcmp(pmq_message_payload(copy, &len), "static", 6) == 0 && len == 6);
    OK(pmq_message_set_payload_static(copy, large, sizeof large, NULL, NULL, &error));
    CHECK(pmq_message_payload(copy, &len) == large);
    OK(pmq_message_set_payload_static(copy, NULL, 0, count_drop, &drops, &error));
    CHECK(drops == 3 && pmq_message_payload(copy, &len) != NULL && len == 0);
    pmq_message_free(&copy);
    CHECK(drops == 3);
}

static void options(void) {
    pmq_error *error = NULL;
    pmq_options *options = NULL;
    pmq_client *client = NULL;

    FAILS(pmq_options_new("http://localhost", PMQ_Z, &options, &error), PMQ_STATUS_OPTIONS);
    FAILS(pmq_options_new("mqtt://h/?what=1", PMQ_Z, &options, &error), PMQ_STATUS_OPTIONS);
    CHECK(options == NULL);
    OK(pmq_options_new(NULL, 0, &options, &error));
    OK(pmq_options_add_address(options, "::1", PMQ_Z, 1883, &error));
    OK(pmq_options_set_proxy(options, "socks5://me:secret@localhost", PMQ_Z, &error));
    FAILS(pmq_options_set_proxy(options, "https://localhost", PMQ_Z, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_options_set_proxy(options, NULL, 0, &error));
    OK(pmq_options_set_protocol(options, PMQ_PROTOCOL_V311, &error));
    FAILS(pmq_options_set_protocol(options, 6, &error), PMQ_STATUS_ARGUMENT);
    OK(pmq_options_set_client_id(options, "me", PMQ_Z, &error));
    OK(pmq_options_set_client_id_prefix(options, "me", PMQ_Z, &error));
    OK(pmq_options_set_credentials(options, "user", PMQ_Z, "\0\1", 2, &error));
    OK(pmq_options_set_clean_start(options, false, &error));
    OK(pmq_options_set_session_expiry(options, PMQ_FOREVER, &error));
    OK(pmq_options_set_keep_alive(options, 30, &error));
    OK(pmq_options_set_receive_maximum(options, 10, &error));
    OK(pmq_options_set_max_packet(options, 1000, &error));
    OK(pmq_options_set_connect_timeout(options, 1000, &error));
    OK(pmq_options_set_reconnect(options, 1, 2, 50, PMQ_FOREVER, &error));
    OK(pmq_options_set_follow_server_reference(options, true, &error));
    OK(pmq_options_set_queue(options, 10, 10000, PMQ_ON_FULL_DROP_OLDEST, &error));
    FAILS(pmq_options_set_queue(options, 10, 10000, 9, &error), PMQ_STATUS_ARGUMENT);
    OK(pmq_options_set_inbox(options, 10, 10000, &error));
    OK(pmq_options_set_manual_ack(options, true, &error));
    OK(pmq_options_set_completions(options, PMQ_COMPLETIONS_WAIT, &error));
    FAILS(pmq_options_set_completions(options, -1, &error), PMQ_STATUS_ARGUMENT);
    OK(pmq_options_set_republish(options, false, &error));
    OK(pmq_options_set_outgoing_topic_aliases(options, 0, &error));
    OK(pmq_options_set_resubscribe(options, false, &error));
    /* What cannot work is found before anything is started. */
    OK(pmq_options_set_topic_alias_max(options, 5, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_options_set_topic_alias_max(options, 0, &error));
    OK(pmq_options_add_user_property(options, "a", PMQ_Z, "b", PMQ_Z, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_options_set_protocol(options, PMQ_PROTOCOL_V5, &error));
    OK(pmq_options_set_receive_maximum(options, 0, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_options_set_receive_maximum(options, 1, &error));
    OK(pmq_options_set_reconnect(options, 1, 2, 101, PMQ_FOREVER, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_options_set_reconnect(options, 1, 2, 256, PMQ_FOREVER, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_options_set_reconnect(options, 1, 2, 0, PMQ_FOREVER, &error));
    OK(pmq_options_set_idle_disconnect(options, 0, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    OK(pmq_options_set_idle_disconnect(options, PMQ_FOREVER, &error));
    OK(pmq_options_set_inbox(options, 0, 10000, &error));
    FAILS(pmq_client_new(options, &client, &error), PMQ_STATUS_OPTIONS);
    CHECK(client == NULL);
    pmq_options_free(&options);
    pmq_options_free(&options);
    pmq_client_free(&client);
}

int main(void) {
    the_library();
    errors();
    topics();
    properties();
    messages();
    lent_payloads();
    options();
    return check_result();
}
