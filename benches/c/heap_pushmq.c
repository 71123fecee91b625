/* Connect, subscribe, one QoS 1 round trip, disconnect, with libpushmq: what `cargo xtask bench c-heap` looks at.
 * Usage: heap_pushmq URL */
#include <stdio.h>

#include <pushmq.h>

#define PATIENCE 60000

int main(int argc, char **argv) {
    const char *filter = "heap";
    pmq_options *options = NULL;
    pmq_client *client = NULL;
    pmq_message *message = NULL;
    pmq_error *error = NULL;
    uint64_t token = 0;
    int received = 0;

    pmq_status status = pmq_options_new(argv[argc - 1], PMQ_Z, &options, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_new(options, &client, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_subscribe(client, &filter, 1, 1, 0, NULL, &token, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_wait(client, token, PATIENCE, NULL, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_message_new(filter, PMQ_Z, "hello", 5, &message, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_message_set_qos(message, 1, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_publish(client, message, &token, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_wait(client, token, PATIENCE, NULL, &error);
    while (status == PMQ_STATUS_OK && !received) {
        pmq_event *event = NULL;
        status = pmq_client_next_event(client, PATIENCE, &event, &error);
        received = pmq_event_type(event) == PMQ_EVENT_MESSAGE;
        pmq_event_free(&event);
    }
    if (status == PMQ_STATUS_OK)
        status = pmq_client_stop(client, PATIENCE, &error);
    if (status != PMQ_STATUS_OK)
        fprintf(stderr, "%s: %s\n", pmq_status_name(status), pmq_error_message(error));
    pmq_error_free(&error);
    pmq_message_free(&message);
    pmq_client_free(&client);
    pmq_options_free(&options);
    pmq_shutdown(PATIENCE, NULL);
    return status == PMQ_STATUS_OK ? 0 : 1;
}
