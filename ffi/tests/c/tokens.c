/* Exactly one completion for each token, whatever happens. argv[1]: a broker; argv[2]: a server that does not acknowledge what
 * goes to "silent". */
#include "check.h"

#define PUBLISHES 20

static void wrong_tokens(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pmq_event *event = NULL;
    uint64_t token = check_publish(client, "t", "x");

    FAILS(pmq_client_wait(client, 0, PMQ_FOREVER, &event, &error), PMQ_STATUS_TOKEN);
    FAILS(pmq_client_wait(client, token + 1, PMQ_FOREVER, &event, &error), PMQ_STATUS_TOKEN);
    OK(pmq_client_wait(client, token, PATIENCE, &event, &error));
    pmq_event_free(&event);
    /* It was taken: neither by waiting nor as an event does it come again. */
    FAILS(pmq_client_wait(client, token, PMQ_FOREVER, &event, &error), PMQ_STATUS_TOKEN);
    token = check_publish(client, "t", "x");
    event = check_event(client, PMQ_EVENT_PUBLISHED);
    CHECK(pmq_event_token(event) == token);
    pmq_event_free(&event);
    FAILS(pmq_client_wait(client, token, PMQ_FOREVER, &event, &error), PMQ_STATUS_TOKEN);
    pmq_client_free(&client);
}

static void a_wait_may_be_repeated(const char *silent) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(silent);
    pmq_event *event = NULL;
    uint64_t token = check_publish(client, "silent", "x");
    FAILS(pmq_client_wait(client, token, 0, &event, &error), PMQ_STATUS_TIMEOUT);
    FAILS(pmq_client_wait(client, token, 1, &event, &error), PMQ_STATUS_TIMEOUT);
    CHECK(event == NULL);
    pmq_client_free(&client);
}

static void stopped_with_unacknowledged(const char *silent) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(silent);
    uint64_t tokens[PUBLISHES], answer = 0, late = 0;
    int completions[PUBLISHES] = {0}, subscribed = 0, stopped = 0, i;
    const char *filter = "never";
    pmq_message *message;

    check_skip(client, PMQ_EVENT_CONNECTED);
    for (i = 0; i < PUBLISHES; i++) {
        tokens[i] = check_publish(client, "silent", "x");
    }
    OK(pmq_client_subscribe(client, &filter, 1, 0, 0, NULL, &answer, &error));
    FAILS(pmq_client_stop(client, 1, &error), PMQ_STATUS_UNFINISHED);

    message = check_message("t", "late", 1);
    FAILS(pmq_client_publish(client, message, &late, &error), PMQ_STATUS_STOPPED);
    FAILS(pmq_client_subscribe(client, &filter, 1, 0, 0, NULL, &late, &error), PMQ_STATUS_STOPPED);
    CHECK(late == 0);
    pmq_message_free(&message);

    while (!stopped) {
        pmq_event *event = NULL;
        OK(pmq_client_next_event(client, PATIENCE, &event, &error));
        switch (pmq_event_type(event)) {
        case PMQ_EVENT_PUBLISHED:
            CHECK(pmq_event_status(event) == PMQ_STATUS_STOPPED);
            for (i = 0; i < PUBLISHES; i++) {
                completions[i] += tokens[i] == pmq_event_token(event);
            }
            break;
        case PMQ_EVENT_SUBSCRIBED:
            CHECK(pmq_event_token(event) == answer && pmq_event_status(event) == PMQ_STATUS_STOPPED);
            subscribed++;
            break;
        case PMQ_EVENT_STOPPED: stopped = 1; break;
        case PMQ_EVENT_NONE: return;
        default: break;
        }
        pmq_event_free(&event);
    }
    for (i = 0; i < PUBLISHES; i++) {
        CHECK(completions[i] == 1);
    }
    CHECK(subscribed == 1);
    pmq_client_free(&client);
}

static void for_waiting_alone(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    pmq_event *event = NULL;
    uint64_t token;
    OK(pmq_options_set_completions(options, PMQ_COMPLETIONS_WAIT, &error));
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    token = check_publish(client, "t", "x");
    /* The server answers in order: the first is acknowledged when the second is. */
    OK(pmq_client_wait(client, check_publish(client, "t", "y"), PATIENCE, NULL, &error));
    FAILS(pmq_client_next_event(client, 0, &event, &error), PMQ_STATUS_TIMEOUT);
    OK(pmq_client_wait(client, token, 0, NULL, &error));
    pmq_client_free(&client);
}

/* Tokens that nobody asks for are bounded like everything else. */
static void untaken_completions_are_bounded(const char *url) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_client *client;
    pmq_message *message = check_message("t", "x", 1);
    uint64_t tokens[3] = {0, 0, 0}, more = 0;
    int i;
    OK(pmq_options_set_queue(options, 3, 100000, PMQ_ON_FULL_REFUSE, &error));
    client = check_client(options);
    pmq_options_free(&options);
    for (i = 0; i < 3; i++) {
        OK(pmq_client_publish(client, message, &tokens[i], &error));
    }
    /* The server answers in order: with the last one, all are acknowledged, and nobody has looked at the first two. */
    OK(pmq_client_wait(client, tokens[2], PATIENCE, NULL, &error));
    OK(pmq_client_publish(client, message, &tokens[2], &error));
    FAILS(pmq_client_publish(client, message, &more, &error), PMQ_STATUS_QUEUE_FULL);
    CHECK(more == 0);
    /* There is room for messages, and for those who do not want to know. */
    OK(pmq_client_publish(client, message, NULL, &error));
    OK(pmq_client_wait(client, tokens[0], 0, NULL, &error));
    OK(pmq_client_publish(client, message, &more, &error));
    OK(pmq_client_wait(client, more, PATIENCE, NULL, &error));
    OK(pmq_client_wait(client, tokens[1], 0, NULL, &error));
    OK(pmq_client_wait(client, tokens[2], 0, NULL, &error));
    pmq_message_free(&message);
    pmq_client_free(&client);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    wrong_tokens(argv[1]);
    a_wait_may_be_repeated(argv[2]);
    stopped_with_unacknowledged(argv[2]);
    for_waiting_alone(argv[1]);
    untaken_completions_are_bounded(argv[1]);
    return check_result();
}
