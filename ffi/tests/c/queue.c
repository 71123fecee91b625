/* Full queues. argv[1]: a server that does not acknowledge what goes to "silent", and floods who
 * subscribes to "flood"; argv[2]: where nobody listens. */
#include "check.h"

static pmq_client *with_queue(const char *url, size_t messages, pmq_on_full on_full) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    OK(pmq_options_set_queue(options, messages, 100000, on_full, &error));
    client = check_client(options);
    pmq_options_free(&options);
    return client;
}

static void a_full_queue_refuses(const char *silent) {
    pmq_error *error = NULL;
    pmq_client *client = with_queue(silent, 2, PMQ_ON_FULL_REFUSE);
    pmq_message *message = check_message("silent", "x", 1), *large;
    char payload[100001];
    memset(payload, 'x', 100000);
    payload[100000] = '\0';
    OK(pmq_client_publish(client, message, NULL, &error));
    OK(pmq_client_publish(client, message, NULL, &error));
    FAILS(pmq_client_publish(client, message, NULL, &error), PMQ_STATUS_QUEUE_FULL);
    CHECK(check_stat(client, PMQ_STAT_QUEUED) == 2);
    large = check_message("silent", payload, 1);
    FAILS(pmq_client_publish(client, large, NULL, &error), PMQ_STATUS_TOO_LARGE);
    pmq_message_free(&large);
    pmq_message_free(&message);
    pmq_client_free(&client);
}

/* Nobody listens, so everything stays in the queue. */
static void a_full_queue_drops(const char *nobody) {
    pmq_error *error = NULL;
    pmq_client *client = with_queue(nobody, 2, PMQ_ON_FULL_DROP_NEWEST);
    pmq_message *message = check_message("t", "x", 1);
    pmq_event *event = NULL;
    uint64_t token = 0;
    OK(pmq_client_publish(client, message, NULL, &error));
    OK(pmq_client_publish(client, message, NULL, &error));
    OK(pmq_client_publish(client, message, &token, &error));
    OK(pmq_client_wait(client, token, 0, &event, &error));
    CHECK(pmq_event_status(event) == PMQ_STATUS_DROPPED);
    pmq_event_free(&event);
    pmq_client_free(&client);

    client = with_queue(nobody, 2, PMQ_ON_FULL_DROP_OLDEST);
    OK(pmq_client_publish(client, message, &token, &error));
    OK(pmq_client_publish(client, message, NULL, &error));
    FAILS(pmq_client_wait(client, token, 0, NULL, &error), PMQ_STATUS_TIMEOUT);
    OK(pmq_client_publish(client, message, NULL, &error));
    FAILS(pmq_client_wait(client, token, 0, NULL, &error), PMQ_STATUS_DROPPED);
    pmq_message_free(&message);
    pmq_client_free(&client);
}

/* The server sends twenty messages of QoS 0 and then twenty of QoS 1 before it answers the subscribe. */
static void a_full_inbox_drops_qos_0_and_holds_qos_1(const char *flood) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(flood);
    pmq_client *client;
    uint64_t dropped = 0;
    int zeros = 0, ones = 0;

    OK(pmq_options_set_inbox(options, 5, 1000000, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_subscribe(client, "flood");
    CHECK(check_stat(client, PMQ_STAT_WAITING) == 5);
    CHECK(check_stat(client, PMQ_STAT_HELD) == 20);
    CHECK(check_stat(client, PMQ_STAT_DROPPED) == 15);
    while (ones < 20 || dropped < 15) {
        pmq_event *event = NULL;
        OK(pmq_client_next_event(client, PATIENCE, &event, &error));
        if (event == NULL) {
            break;
        }
        zeros += payload_is(event, "0");
        ones += payload_is(event, "1");
        dropped += pmq_event_count(event);
        pmq_event_free(&event);
    }
    CHECK(zeros == 5 && ones == 20 && dropped == 15);
    pmq_client_free(&client);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    a_full_queue_refuses(argv[1]);
    a_full_queue_drops(argv[2]);
    a_full_inbox_drops_qos_0_and_holds_qos_1(argv[1]);
    return check_result();
}
