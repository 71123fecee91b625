/* The same as heap_pushmq.c with libmosquitto. Usage: heap_mosquitto HOST PORT */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

static int acknowledged, received;

static void on_connect(struct mosquitto *client, void *userdata, int code) {
    (void)userdata;
    if (code == 0)
        mosquitto_subscribe(client, NULL, "heap", 1);
}

static void on_subscribe(struct mosquitto *client, void *userdata, int id, int count, const int *granted) {
    (void)userdata, (void)id, (void)count, (void)granted;
    mosquitto_publish(client, NULL, "heap", 5, "hello", 1, false);
}

static void finish(struct mosquitto *client) {
    if (acknowledged && received)
        mosquitto_disconnect(client);
}

static void on_publish(struct mosquitto *client, void *userdata, int id) {
    (void)userdata, (void)id;
    acknowledged = 1;
    finish(client);
}

static void on_message(struct mosquitto *client, void *userdata, const struct mosquitto_message *message) {
    (void)userdata, (void)message;
    received = 1;
    finish(client);
}

int main(int argc, char **argv) {
    struct mosquitto *client;
    int code;
    if (argc != 3)
        return 2;
    mosquitto_lib_init();
    client = mosquitto_new(NULL, true, NULL);
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_publish_callback_set(client, on_publish);
    mosquitto_message_callback_set(client, on_message);
    code = mosquitto_connect(client, argv[1], atoi(argv[2]), 60);
    if (code == MOSQ_ERR_SUCCESS)
        code = mosquitto_loop_forever(client, -1, 1);
    if (code != MOSQ_ERR_SUCCESS)
        fprintf(stderr, "%s\n", mosquitto_strerror(code));
    mosquitto_destroy(client);
    mosquitto_lib_cleanup();
    return code == MOSQ_ERR_SUCCESS && acknowledged && received ? 0 : 1;
}
