/* Calls every function of the library once, in its good and its bad ways. */
#include <stdio.h>
#include <string.h>

#include "pushmq.h"

static int failures;

#define CHECK(condition)                                               \
    do {                                                               \
        if (!(condition)) {                                            \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);    \
            failures++;                                                \
        }                                                              \
    } while (0)

static const uint8_t *bytes(const char *text) { return (const uint8_t *)text; }

static pmq_status matches(const char *filter, const char *name, bool *answer) {
    return pmq_topic_matches(bytes(filter), strlen(filter), bytes(name), strlen(name), answer);
}

int main(void) {
    bool answer = false;

    CHECK(strcmp(pmq_version(), "0.1.0") == 0);
    CHECK(pmq_abi() == 0);
    CHECK(strcmp(pmq_status_name(PMQ_STATUS_TOPIC_FILTER), "PMQ_STATUS_TOPIC_FILTER") == 0);
    CHECK(strcmp(pmq_status_name(-999), "unknown status") == 0);
    CHECK(!pmq_reason_is_error(0x10));
    CHECK(pmq_reason_is_error(0x80));

    CHECK(pmq_topic_name_check(bytes("a/b"), 3) == PMQ_STATUS_OK);
    CHECK(pmq_topic_name_check(bytes("a/+"), 3) == PMQ_STATUS_TOPIC_NAME);
    CHECK(pmq_topic_name_check(bytes("a\0b"), 3) == PMQ_STATUS_TOPIC_NAME);
    CHECK(pmq_topic_name_check(bytes("\xff"), 1) == PMQ_STATUS_NOT_UTF8);
    CHECK(pmq_topic_name_check(NULL, 0) == PMQ_STATUS_TOPIC_NAME);
    CHECK(pmq_topic_name_check(NULL, 3) == PMQ_STATUS_NULL);
    CHECK(pmq_topic_name_check(bytes("a"), (size_t)-1) == PMQ_STATUS_NULL);

    CHECK(pmq_topic_filter_check(bytes("a/#"), 3) == PMQ_STATUS_OK);
    CHECK(pmq_topic_filter_check(bytes("a#"), 2) == PMQ_STATUS_TOPIC_FILTER);
    CHECK(pmq_topic_filter_check(bytes("$share//a"), 9) == PMQ_STATUS_TOPIC_FILTER);

    CHECK(matches("a/#", "a", &answer) == PMQ_STATUS_OK && answer);
    CHECK(matches("+/x", "$SYS/x", &answer) == PMQ_STATUS_OK && !answer);
    CHECK(matches("$share/g/a/+", "a/b", &answer) == PMQ_STATUS_OK && answer);
    CHECK(matches("a/#", "a", NULL) == PMQ_STATUS_NULL);
    answer = true;
    CHECK(matches("a#", "a", &answer) == PMQ_STATUS_TOPIC_FILTER && answer);

    return failures == 0 ? 0 : 1;
}
