/* Every call from inside of a handler does its work or gives a status: none hangs. argv[1]: a broker; argv[2]: where
 * nobody listens. */
#include "check.h"

struct state {
    pmq_client *client;
    const char *nobody;
    int messages, published, stopped, calls;
    pmq_event *kept;
};

static void nested(const pmq_event *event, void *userdata) {
    struct state *state = userdata;
    state->published += pmq_event_type(event) == PMQ_EVENT_PUBLISHED;
    state->messages += pmq_event_type(event) == PMQ_EVENT_MESSAGE;
    state->stopped += pmq_event_type(event) == PMQ_EVENT_STOPPED;
}

/* On the first message: everything that a program could think of. */
static void handler(const pmq_event *event, void *userdata) {
    struct state *state = userdata;
    pmq_error *error = NULL;
    pmq_client *other;
    const char *filter = "more";
    uint64_t token = 0;
    size_t count = 0;
    int fd = -1;

    nested(event, userdata);
    if (pmq_event_type(event) != PMQ_EVENT_MESSAGE || state->calls++ > 0) {
        return;
    }
    CHECK(check_state(state->client) == PMQ_STATE_CONNECTED);
    CHECK(check_stat(state->client, PMQ_STAT_RECEIVED) > 0);
    OK(pmq_client_fd(state->client, &fd, &error));
    OK(pmq_event_clone(event, &state->kept, &error));
    OK(pmq_event_ack(event, 0, &error));
    /* Publish and wait for it, subscribe and wait for it, right here. */
    OK(pmq_client_wait(state->client, check_publish(state->client, "t", "y"), PATIENCE, NULL, &error));
    OK(pmq_client_subscribe(state->client, &filter, 1, 1, 0, NULL, &token, &error));
    OK(pmq_client_wait(state->client, token, PATIENCE, NULL, &error));
    OK(pmq_client_unsubscribe(state->client, &filter, 1, NULL, &token, &error));
    OK(pmq_client_wait(state->client, token, PATIENCE, NULL, &error));
    /* Dispatch inside of dispatch. */
    OK(pmq_client_dispatch(state->client, nested, state, 0, &count, &error));
    /* Another client comes and goes. */
    other = check_connect(state->nobody);
    pmq_client_free(&other);
    OK(pmq_client_stop(state->client, PATIENCE, &error));
}

static void all_calls(const char *url, const char *nobody) {
    pmq_error *error = NULL;
    struct state state = {NULL, NULL, 0, 0, 0, 0, NULL};
    size_t count = 0;
    state.nobody = nobody;
    state.client = check_connect(url);
    check_subscribe(state.client, "t");
    check_publish(state.client, "t", "x");
    while (state.stopped == 0) {
        pmq_event *event = NULL;
        OK(pmq_client_dispatch(state.client, handler, &state, 0, &count, &error));
        if (count == 0) {
            /* Wait for one, and give it to the handler as dispatch would. */
            OK(pmq_client_next_event(state.client, PATIENCE, &event, &error));
            handler(event, &state);
            pmq_event_free(&event);
        }
    }
    CHECK(state.calls >= 1);
    CHECK(payload_is(state.kept, "x"));
    pmq_event_free(&state.kept);
    pmq_client_free(&state.client);
}

static void frees(const pmq_event *event, void *userdata) {
    struct state *state = userdata;
    (void)event;
    state->calls++;
    pmq_client_free(&state->client);
    CHECK(state->client == NULL);
}

static void freed_inside(const char *url) {
    pmq_error *error = NULL;
    struct state state = {NULL, NULL, 0, 0, 0, 0, NULL};
    size_t count = 0;
    pmq_client *client = check_connect(url);
    state.client = client;
    check_subscribe(client, "f");
    OK(pmq_client_wait(client, check_publish(client, "f", "1"), PATIENCE, NULL, &error));
    OK(pmq_client_wait(client, check_publish(client, "f", "2"), PATIENCE, NULL, &error));
    /* At least CONNECTED waits, and mostly more: the first one is the last. */
    OK(pmq_client_dispatch(client, frees, &state, 0, &count, &error));
    CHECK(count == 1 && state.calls == 1);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    all_calls(argv[1], argv[2]);
    freed_inside(argv[1]);
    return check_result();
}
