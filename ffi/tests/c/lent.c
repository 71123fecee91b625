/* Payloads that stay the program's while they are sent. argv[1]: a broker; argv[2]: a server that does not acknowledge what
 * goes to "silent". */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static char large[100000];

/* How often the payload was given back, on whatever thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int drops;

static void give_back(void *userdata) {
    CHECK(userdata == large);
    pthread_mutex_lock(&lock);
    drops++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int drops_now(void) {
    int now;
    pthread_mutex_lock(&lock);
    now = drops;
    pthread_mutex_unlock(&lock);
    return now;
}

static void await_drops(int expected) {
    struct timespec until;
    int result = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE / 1000;
    pthread_mutex_lock(&lock);
    while (drops < expected && result == 0) {
        result = pthread_cond_timedwait(&changed, &lock, &until);
    }
    CHECK(drops == expected);
    pthread_mutex_unlock(&lock);
}

static pmq_message *lent(const char *topic) {
    pmq_error *error = NULL;
    pmq_message *message = check_message(topic, "", 1);
    OK(pmq_message_set_payload_static(message, large, sizeof large, give_back, large, &error));
    return message;
}

/* It arrives as it is, and is given back when message and publishes are done with, whichever is last. */
static void arrives(const char *url) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(url);
    pmq_message *message = lent("t");
    pmq_event *event;
    uint64_t token = 0;
    size_t len = 0;
    int i;
    check_subscribe(client, "t");
    for (i = 0; i < 2; i++) {
        OK(pmq_client_publish(client, message, &token, &error));
        OK(pmq_client_wait(client, token, PATIENCE, NULL, &error));
        event = check_event(client, PMQ_EVENT_MESSAGE);
        CHECK(memcmp(pmq_message_payload(pmq_event_message(event), &len), large, sizeof large) == 0);
        CHECK(len == sizeof large && pmq_message_payload(pmq_event_message(event), NULL) != large);
        pmq_event_free(&event);
    }
    CHECK(drops_now() == 0);
    pmq_message_free(&message);
    await_drops(1);
    pmq_client_free(&client);
}

/* What is not acknowledged may have to be sent again. */
static void is_kept_while_unacknowledged(const char *silent) {
    pmq_error *error = NULL;
    pmq_client *client = check_connect(silent);
    pmq_message *message = lent("silent");
    uint64_t token = 0;
    OK(pmq_client_publish(client, message, &token, &error));
    pmq_message_free(&message);
    FAILS(pmq_client_wait(client, token, 0, NULL, &error), PMQ_STATUS_TIMEOUT);
    CHECK(drops_now() == 1);
    pmq_client_free(&client);
    /* The library's thread has ended after this, and so has all that it held. */
    OK(pmq_shutdown(PATIENCE, &error));
    CHECK(drops_now() == 2);
}

static void a_child_gives_nothing_back(void) {
    pmq_message *message = lent("t");
    int status = -1;
    pid_t child;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        pmq_message_free(&message);
        CHECK(drops_now() == 2);
        fflush(NULL);
        _exit(check_failures == 0 ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(drops_now() == 2);
    pmq_message_free(&message);
    CHECK(drops_now() == 3);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    memset(large, 'x', sizeof large);
    arrives(argv[1]);
    is_kept_while_unacknowledged(argv[2]);
    a_child_gives_nothing_back();
    return check_result();
}
