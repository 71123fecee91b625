/* Pushes one message to a device, and tells what became of it. Usage: publisher [URL [TOPIC [TEXT]]] */
#include <stdio.h>
#include <string.h>

#include <pushmq.h>

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "mqtt://localhost:1883";
    const char *topic = argc > 2 ? argv[2] : "devices/phone-1/push";
    const char *text = argc > 3 ? argv[3] : "Your parcel is at the door";
    pmq_options *options = NULL;
    pmq_client *client = NULL;
    pmq_message *message = NULL;
    pmq_event *outcome = NULL;
    pmq_error *error = NULL;
    uint64_t token = 0;

    /* Each call goes on from the one before; the first that fails says why. */
    pmq_status status = pmq_options_new(url, PMQ_Z, &options, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_new(options, &client, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_message_new(topic, PMQ_Z, text, strlen(text), &message, &error);
    if (status == PMQ_STATUS_OK) /* QoS 1: sent until acknowledged. */
        status = pmq_message_set_qos(message, 1, &error);
    if (status == PMQ_STATUS_OK) /* Queued at once, sent in the background. */
        status = pmq_client_publish(client, message, &token, &error);
    if (status == PMQ_STATUS_OK) /* Wait for the broker's answer only if you want to know. */
        status = pmq_client_wait(client, token, 5000, &outcome, &error);

    if (status != PMQ_STATUS_OK)
        fprintf(stderr, "%s: %s\n", pmq_status_name(status), pmq_error_message(error));
    else if ((status = pmq_event_status(outcome)) != PMQ_STATUS_OK)
        fprintf(stderr, "not delivered: %s\n", pmq_error_message(pmq_event_error(outcome)));
    else /* MQTT 5.0 brokers tell when nobody subscribes to the topic. */
        printf("the broker has it: %s\n", pmq_reason_name(pmq_event_reason(outcome)));

    pmq_client_stop(client, 5000, NULL);
    pmq_event_free(&outcome);
    pmq_message_free(&message);
    pmq_client_free(&client);
    pmq_options_free(&options);
    pmq_error_free(&error);
    pmq_shutdown(5000, NULL);
    return status == PMQ_STATUS_OK ? 0 : 1;
}
