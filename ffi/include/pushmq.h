/* libpushmq: MQTT for servers that must reach devices. Generated from the Rust sources; do not edit. */

#ifndef PUSHMQ_H
#define PUSHMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 What a call came to: zero for success, negative for an error. A number once given is never used for anything else.

 The representation is the C `int` that callers compare with.
 */
typedef enum {
  /*
   The call did what it says.
   */
  PMQ_STATUS_OK = 0,
  /*
   A pointer that must not be null was null.
   */
  PMQ_STATUS_NULL = -1,
  /*
   The library failed inside. Nothing was changed; please report it.
   */
  PMQ_STATUS_PANIC = -2,
  /*
   The text is not well-formed UTF-8.
   */
  PMQ_STATUS_NOT_UTF8 = -3,
  /*
   Not a valid Topic Name: empty, too long, or it holds a wildcard or U+0000.
   */
  PMQ_STATUS_TOPIC_NAME = -4,
  /*
   Not a valid Topic Filter: empty, too long, a misplaced wildcard, or U+0000.
   */
  PMQ_STATUS_TOPIC_FILTER = -5,
} pmq_status;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The version of the library, such as "0.1.0". Static text: never freed.
 */
const char *pmq_version(void);

/*
 The number of the binary interface. It grows when a program must be compiled anew.
 */
uint32_t pmq_abi(void);

/*
 The name of a `pmq_status` as written in this header, or "unknown status". Static text: never freed.
 */
const char *pmq_status_name(int32_t status);

/*
 Tells whether an MQTT Reason Code means failure (0x80 and above).
 */
bool pmq_reason_is_error(uint8_t reason);

/*
 Tells whether the text is a valid Topic Name: 1 to 65,535 bytes of UTF-8 without wildcards and U+0000.

 Returns `PMQ_STATUS_OK`, `PMQ_STATUS_TOPIC_NAME`, `PMQ_STATUS_NOT_UTF8` or `PMQ_STATUS_NULL`.

 # Safety
 `name` points to `name_len` readable bytes (it may be null when `name_len` is 0).
 */
pmq_status pmq_topic_name_check(const uint8_t *name, size_t name_len);

/*
 Tells whether the text is a valid Topic Filter: 1 to 65,535 bytes of UTF-8, `+` and `#` only as whole levels, `#` only at
 the end, and a well-formed share name after `$share/`.

 Returns `PMQ_STATUS_OK`, `PMQ_STATUS_TOPIC_FILTER`, `PMQ_STATUS_NOT_UTF8` or `PMQ_STATUS_NULL`.

 # Safety
 `filter` points to `filter_len` readable bytes (it may be null when `filter_len` is 0).
 */
pmq_status pmq_topic_filter_check(const uint8_t *filter,
                                  size_t filter_len);

/*
 Tells whether a Topic Filter matches a Topic Name, and writes the answer to `matches`.

 Of a shared subscription's filter only the part after the share name takes part. A filter that begins with a wildcard does
 not match a name that begins with `$`.

 Returns `PMQ_STATUS_OK`, `PMQ_STATUS_TOPIC_FILTER`, `PMQ_STATUS_TOPIC_NAME`, `PMQ_STATUS_NOT_UTF8` or `PMQ_STATUS_NULL`;
 `matches` is written only with `PMQ_STATUS_OK`.

 # Safety
 `filter` points to `filter_len` and `name` to `name_len` readable bytes; `matches` is null or may be written.
 */
pmq_status pmq_topic_matches(const uint8_t *filter,
                             size_t filter_len,
                             const uint8_t *name,
                             size_t name_len,
                             bool *matches);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PUSHMQ_H */
