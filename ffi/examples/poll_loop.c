/* A chat in one thread: poll(2) waits for the keyboard and for the client at once. Usage: poll_loop [URL [TOPIC]]
 * Each line that is typed goes to everybody on the topic; what others say is printed. Ends with the input. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pushmq.h>

/* What the handler of events needs. */
struct chat {
    const char *topic;
    int has_joined;
    int is_over;
};

/* Called by pmq_client_dispatch, on this thread. It may make any call, on this client too. */
static void on_event(const pmq_event *event, void *userdata) {
    struct chat *chat = (struct chat *)userdata;
    size_t len = 0;
    const char *text = (const char *)pmq_message_payload(pmq_event_message(event), &len);

    switch (pmq_event_type(event)) {
    case PMQ_EVENT_SUBSCRIBED:
        chat->has_joined = pmq_event_status(event) == PMQ_STATUS_OK;
        chat->is_over = !chat->has_joined;
        printf("%s\n", chat->has_joined ? "joined" : pmq_error_message(pmq_event_error(event)));
        break;
    case PMQ_EVENT_MESSAGE: printf("%s> %.*s\n", chat->topic, (int)len, text); break;
    case PMQ_EVENT_DISCONNECTED: printf("(the connection is gone)\n"); break;
    case PMQ_EVENT_STOPPED:
        fprintf(stderr, "%s\n", pmq_error_message(pmq_event_error(event)));
        chat->is_over = 1;
        break;
    default: break;
    }
    fflush(stdout);
}

static pmq_status say(pmq_client *client, const char *topic, const char *text, size_t len, pmq_error **error) {
    pmq_message *message = NULL;
    pmq_status status = pmq_message_new(topic, PMQ_Z, text, len, &message, error);
    if (status == PMQ_STATUS_OK)
        status = pmq_message_set_qos(message, 1, error);
    if (status == PMQ_STATUS_OK) /* No token: nobody asks what becomes of it. */
        status = pmq_client_publish(client, message, NULL, error);
    pmq_message_free(&message);
    return status;
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "mqtt://localhost:1883";
    struct chat chat = {argc > 2 ? argv[2] : "chat", 0, 0};
    pmq_options *options = NULL;
    pmq_client *client = NULL;
    pmq_error *error = NULL;
    uint64_t token = 0;
    struct pollfd fds[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};

    pmq_status status = pmq_options_new(url, PMQ_Z, &options, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_new(options, &client, &error);
    if (status == PMQ_STATUS_OK) /* Not what this client says itself. */
        status = pmq_client_subscribe(client, &chat.topic, 1, 1, PMQ_NO_LOCAL, NULL, &token, &error);
    if (status == PMQ_STATUS_OK)
        status = pmq_client_fd(client, &fds[0].fd, &error);
    while (status == PMQ_STATUS_OK && !chat.is_over) {
        /* The keyboard has to wait until the chat was joined. poll passes over a negative descriptor. */
        fds[1].fd = chat.has_joined ? STDIN_FILENO : -1;
        if (poll(fds, 2, -1) < 0)
            continue; /* A signal. */
        if (fds[0].revents != 0)
            status = pmq_client_dispatch(client, on_event, &chat, 0, NULL, &error);
        if (status == PMQ_STATUS_OK && fds[1].revents != 0) {
            char text[512]; /* A terminal gives whole lines. */
            ssize_t len = read(STDIN_FILENO, text, sizeof text);
            if (len <= 0)
                break;
            status = say(client, chat.topic, text, (size_t)len - (text[len - 1] == '\n'), &error);
        }
    }
    if (error != NULL)
        fprintf(stderr, "%s: %s\n", pmq_status_name(status), pmq_error_message(error));

    pmq_client_stop(client, 5000, NULL); /* Says what is left to say. */
    pmq_client_free(&client);
    pmq_options_free(&options);
    pmq_error_free(&error);
    pmq_shutdown(5000, NULL);
    return status == PMQ_STATUS_OK ? 0 : 1;
}
