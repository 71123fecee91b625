/* The Will of a client that is killed arrives, and that of one that says goodbye does not. argv[1]: a broker. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static pmq_client *connect_with_will(const char *url, const char *payload) {
    pmq_error *error = NULL;
    pmq_options *options = check_options(url);
    pmq_message *will = check_message("gone", payload, 1);
    pmq_client *client;
    OK(pmq_options_set_will(options, will, 0, &error));
    pmq_message_free(&will);
    client = check_client(options);
    pmq_options_free(&options);
    check_skip(client, PMQ_EVENT_CONNECTED);
    return client;
}

/* A process that is connected when this returns, and stays so until it is killed. */
static pid_t start_child(const char *url) {
    int ends[2];
    char byte = 0;
    pid_t child;
    CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        connect_with_will(url, "killed");
        if (write(ends[1], &byte, 1) == 1) {
            for (;;) {
                pause();
            }
        }
        _exit(1);
    }
    CHECK(child > 0);
    CHECK(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    close(ends[1]);
    return child;
}

int main(int argc, char **argv) {
    pmq_error *error = NULL;
    pmq_client *witness, *polite;
    pmq_event *event;
    pid_t child;
    if (argc != 2) {
        return 2;
    }
    child = start_child(argv[1]);
    witness = check_connect(argv[1]);
    check_subscribe(witness, "gone");
    polite = connect_with_will(argv[1], "polite");
    OK(pmq_client_stop(polite, PATIENCE, &error));
    pmq_client_free(&polite);

    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    event = check_event(witness, PMQ_EVENT_MESSAGE);
    CHECK(payload_is(event, "killed") && pmq_message_qos(pmq_event_message(event)) == 1);
    pmq_event_free(&event);
    pmq_client_free(&witness);
    return check_result();
}
