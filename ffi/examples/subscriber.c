/* Prints messages as they come, through broken connections too. Usage: subscriber [URL [FILTER [HOW_MANY]]] */
#include <stdio.h>
#include <stdlib.h>

#include <pushmq.h>

/* Says what an event is about. Returns 1 for a message. */
static int show(const pmq_event *event) {
    size_t topic_len = 0, payload_len = 0;
    const pmq_message *message = pmq_event_message(event);
    const char *topic = pmq_message_topic(message, &topic_len);
    const char *payload = (const char *)pmq_message_payload(message, &payload_len);

    switch (pmq_event_type(event)) {
    case PMQ_EVENT_MESSAGE:
        printf("%.*s: %.*s\n", (int)topic_len, topic, (int)payload_len, payload);
        return 1;
    case PMQ_EVENT_SUBSCRIBED:
        if (pmq_event_status(event) == PMQ_STATUS_OK)
            printf("subscribed\n");
        else
            fprintf(stderr, "%s\n", pmq_error_message(pmq_event_error(event)));
        break;
    case PMQ_EVENT_RECONNECTING:
        fprintf(stderr, "%s; trying again in %u ms\n", pmq_error_message(pmq_event_error(event)),
                (unsigned)pmq_event_delay_ms(event));
        break;
    case PMQ_EVENT_DROPPED:
        fprintf(stderr, "too slow: %u messages were dropped\n", (unsigned)pmq_event_count(event));
        break;
    default: break;
    }
    return 0;
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "mqtt://localhost:1883";
    const char *filter = argc > 2 ? argv[2] : "devices/+/push";
    long left = argc > 3 ? atol(argv[3]) : -1;
    pmq_options *options = NULL;
    pmq_client *client = NULL;
    pmq_error *error = NULL;
    uint64_t token = 0;

    pmq_status status = pmq_options_new(url, PMQ_Z, &options, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_new(options, &client, &error);
    if (status == PMQ_STATUS_OK) /* One filter, QoS 1, no flags. It comes back by itself after a reconnect. */
        status = pmq_client_subscribe(client, &filter, 1, 1, 0, NULL, &token, &error);
    while (status == PMQ_STATUS_OK && left != 0) {
        pmq_event *event = NULL;
        status = pmq_client_next_event(client, PMQ_FOREVER, &event, &error);
        left -= show(event);
        fflush(stdout);
        if (pmq_event_type(event) == PMQ_EVENT_STOPPED) {
            fprintf(stderr, "%s\n", pmq_error_message(pmq_event_error(event)));
            status = pmq_event_status(event);
        }
        pmq_event_free(&event);
    }
    if (error != NULL)
        fprintf(stderr, "%s: %s\n", pmq_status_name(status), pmq_error_message(error));

    pmq_client_stop(client, 5000, NULL);
    pmq_client_free(&client);
    pmq_options_free(&options);
    pmq_error_free(&error);
    pmq_shutdown(5000, NULL);
    return status == PMQ_STATUS_OK ? 0 : 1;
}
