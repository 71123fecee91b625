/* A panic where a record is made costs that record and nothing else. argv[1]: where nobody listens. */
#define _POSIX_C_SOURCE 200809L
#include <sched.h>

#include "check.h"

void pmq_test_panic_next(void);
bool pmq_test_panic_is_due(void);

static void count_record(pmq_log_level level, const char *text, void *userdata) {
    (void)level;
    (void)text;
    ++*(int *)userdata;
}

int main(int argc, char **argv) {
    pmq_error *error = NULL;
    pmq_options *options;
    pmq_client *client;
    pmq_event *event = NULL;
    int records = 0;
    if (argc != 2) {
        return 2;
    }
    options = check_options(argv[1]);
    OK(pmq_options_set_reconnect(options, 1, 10, 100, PMQ_FOREVER, &error));
    OK(pmq_set_log(PMQ_LOG_LEVEL_INFO, count_record, &records, NULL, &error));
    client = check_client(options);
    pmq_options_free(&options);
    pmq_test_panic_next();
    /* Only the library's thread is behind the wall now. */
    while (pmq_test_panic_is_due()) {
        sched_yield();
    }
    /* The client goes on: what it told before is not looked at. */
    while (pmq_client_next_event(client, 0, &event, NULL) == PMQ_STATUS_OK) {
        pmq_event_free(&event);
    }
    check_skip(client, PMQ_EVENT_RECONNECTING);
    OK(pmq_client_stop(client, PATIENCE, &error));
    pmq_client_free(&client);
    OK(pmq_shutdown(PATIENCE, &error));
    CHECK(records > 0);
    return check_result();
}
