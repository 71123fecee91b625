/*
 * A device that is a C program: it receives its pushes and acknowledges each one once it has dealt with it.
 *
 * `cargo xtask demo` builds it, starts it beside the Rust devices and ends it with a signal.
 */
#define _POSIX_C_SOURCE 200809L

#include <pushmq.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t ending;

static void end(int signal) {
    (void)signal;
    ending = 1;
}

/* Ends the program when a call failed, with the reason. */
static void check(pmq_status status, const pmq_error *error) {
    if (status != PMQ_STATUS_OK) {
        fprintf(stderr, "device: %s\n", pmq_error_message(error));
        exit(EXIT_FAILURE);
    }
}

static const char *variable(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : otherwise;
}

/* A push as the scripts write it: {"id":"cli-7","sent":1700000000.25,"text":"..."}. Prints its id and how late it is. */
static void report(const pmq_message *message) {
    char text[512], id[64];
    double sent;
    size_t length;
    struct timespec now;
    const void *payload = pmq_message_payload(message, &length);

    if (length >= sizeof text)
        return;
    memcpy(text, payload, length);
    text[length] = '\0';
    if (sscanf(text, "{\"id\":\"%63[^\"]\",\"sent\":%lf", id, &sent) != 2) {
        printf("a message that is no push of ours\n");
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    printf("{\"id\":\"%s\",\"latency\":%.6f}\n", id, (double)now.tv_sec + (double)now.tv_nsec / 1e9 - sent);
}

/* For a broker whose certificate an authority of one's own has signed. Others need nothing but an mqtts:// URL. */
static void trust(pmq_options *options, const char *authority) {
    pmq_tls *tls = NULL;
    pmq_error *error = NULL;

    check(pmq_tls_new(&tls, &error), error);
    check(pmq_tls_set_ca_file(tls, authority, PMQ_Z, &error), error);
    check(pmq_options_set_tls(options, tls, &error), error);
    pmq_tls_free(&tls);
}

int main(void) {
    const char *device = variable("DEVICE", "device-01");
    const char *template = variable("PUSH_TOPIC", "devices/{id}/push");
    const char *place = strstr(template, "{id}");
    char topic[256];
    const char *filters[] = {topic};
    pmq_options *options = NULL;
    pmq_client *client = NULL;
    pmq_event *event = NULL;
    pmq_error *error = NULL;
    uint64_t token;
    struct sigaction action = {0};

    action.sa_handler = end;
    sigaction(SIGTERM, &action, NULL);
    snprintf(topic, sizeof topic, "%.*s%s%s", place != NULL ? (int)(place - template) : 256, template,
             place != NULL ? device : "", place != NULL ? place + 4 : "");

    /* The same Client Identifier each time and a session that outlives the connection: what is pushed while this program is
       not running waits in the broker. */
    check(pmq_options_new(variable("MQTT_URL", "mqtt://localhost:1883"), PMQ_Z, &options, &error), error);
    check(pmq_options_set_client_id(options, variable("CLIENT_ID", device), PMQ_Z, &error), error);
    check(pmq_options_set_clean_start(options, false, &error), error);
    check(pmq_options_set_session_expiry(options, 3600, &error), error);
    check(pmq_options_set_manual_ack(options, true, &error), error);
    if (getenv("MQTT_CA_FILE") != NULL)
        trust(options, getenv("MQTT_CA_FILE"));
    check(pmq_client_new(options, &client, &error), error);
    pmq_options_free(&options);

    check(pmq_client_subscribe(client, filters, 1, 1, 0, NULL, &token, &error), error);
    check(pmq_client_wait(client, token, 10000, NULL, &error), error);
    printf("ready\n");
    fflush(stdout);

    while (!ending) {
        pmq_status status = pmq_client_next_event(client, 100, &event, &error);
        if (status == PMQ_STATUS_TIMEOUT) {
            pmq_error_free(&error);
            continue;
        }
        check(status, error);
        if (pmq_event_type(event) == PMQ_EVENT_STOPPED) /* For good: the event says why. */
            check(pmq_event_status(event), pmq_event_error(event));
        if (pmq_event_type(event) == PMQ_EVENT_MESSAGE) {
            report(pmq_event_message(event));
            fflush(stdout);
            check(pmq_event_ack(event, 0, &error), error);
        }
        pmq_event_free(&event);
    }
    check(pmq_client_stop(client, 3000, &error), error);
    pmq_client_free(&client);
    return EXIT_SUCCESS;
}
