/* libpushmq: MQTT for servers that must reach devices. Generated from the Rust sources; do not edit. */

#ifndef PUSHMQ_H
#define PUSHMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * MANUAL
 *
 * A client is one connection to an MQTT server that comes back by itself. It runs on the library's one thread; the
 * program publishes and subscribes at any time, from any thread, and takes what the client has to tell as events.
 *
 *     pmq_options *options = NULL;
 *     pmq_client *client = NULL;
 *     pmq_message *message = NULL;
 *     pmq_error *error = NULL;
 *     uint64_t token = 0;
 *
 *     if (pmq_options_new("mqtt://localhost:1883", PMQ_Z, &options, &error) == PMQ_STATUS_OK
 *         && pmq_client_new(options, &client, &error) == PMQ_STATUS_OK
 *         && pmq_message_new("greeting", PMQ_Z, "hello", 5, &message, &error) == PMQ_STATUS_OK
 *         && pmq_message_set_qos(message, 1, &error) == PMQ_STATUS_OK
 *         && pmq_client_publish(client, message, &token, &error) == PMQ_STATUS_OK
 *         && pmq_client_wait(client, token, 5000, NULL, &error) == PMQ_STATUS_OK)
 *         puts("the server has it");
 *     else
 *         fprintf(stderr, "%s\n", pmq_error_message(error));
 *     pmq_error_free(&error);
 *     pmq_message_free(&message);
 *     pmq_client_free(&client);
 *     pmq_options_free(&options);
 *
 * ARGUMENTS. Text is a pointer and a length in bytes, or PMQ_Z for a length where it ends in NUL; it is UTF-8. Data is a
 * pointer and a length. Both are copied before a call returns, except by pmq_message_set_payload_static. A NULL pointer
 * where none is allowed, a wrong number, a text that is not UTF-8 are errors and change nothing. Results are written only
 * on success, except where a function says otherwise.
 *
 * OWNERSHIP. What a function gives through a pointer to a handle (pmq_x **) belongs to the program, which ends it with
 * pmq_x_free(&x) and so sets x to NULL: freeing twice is harmless, and so is freeing NULL. A pointer to const that a
 * function returns belongs to the object it came from, lives as long as that, and is never freed. The order in which
 * objects are freed does not matter.
 *
 * ERRORS. Functions that can fail return a pmq_status: PMQ_STATUS_OK, which is 0, or a negative number. Their last
 * argument, unless NULL, gets a pmq_error on failure, which belongs to the program. It is overwritten without being looked at:
 * free an error before its variable is used again. Functions that cannot fail return their value, and 0, NULL or false
 * for a NULL handle. A failure inside of the library is PMQ_STATUS_PANIC, or such a value; it never ends the program.
 * The library prints nothing; pmq_set_log takes what it has to say about its work.
 *
 * EVENTS. pmq_client_next_event waits for one and gives it; pmq_client_dispatch calls a handler for those that are here;
 * pmq_client_fd is a descriptor for poll(2) that is readable as long as one waits. Any thread may do any of these: each
 * event goes to one of them. No handler runs but inside of pmq_client_dispatch, and no lock is held then, so that a handler
 * may make any call, pmq_client_stop and pmq_client_free included. Everything that waits is bounded, in count and in
 * bytes: see pmq_options_set_inbox and pmq_options_set_queue. Of changes of state that are not taken, the last 64 stay,
 * and fewer where a server sends very large properties.
 *
 * TOKENS. A publish, subscribe or unsubscribe that is given a place for a token, and every request, has exactly one
 * completion: it comes as an event with that token, or pmq_client_wait takes it, whichever is first. It comes also when the
 * client is stopped, and when it is freed to the calls that wait for it then; only pmq_client_cancel has it not come. A
 * program that waits on one thread while another takes events chooses PMQ_COMPLETIONS_WAIT, so that none is taken away.
 * Completions that nobody takes count against the bound of the queue; who does not want to know passes NULL in place of a
 * token. A token is never 0, and is not used again by the same client.
 *
 * REQUESTS. pmq_client_request asks, and its completion is the answer:
 *
 *     pmq_event *answer = NULL;
 *     if (pmq_client_request(client, message, 5000, &token, &error) == PMQ_STATUS_OK
 *         && pmq_client_wait(client, token, PMQ_FOREVER, &answer, &error) == PMQ_STATUS_OK
 *         && pmq_event_status(answer) == PMQ_STATUS_OK)
 *         use(pmq_event_message(answer));
 *
 * THREADS. "Together" means that several threads may do it at the same time with the same object.
 *
 *     pmq_client                 all functions together, except pmq_client_free, which is the last
 *     pmq_event                  all functions together, pmq_event_ack included; each handle is freed by one
 *     pmq_message, pmq_properties, pmq_options, pmq_tls, pmq_error
 *                                functions that take them as const together; those that do not, alone
 *     functions without handle   together, except pmq_shutdown while another thread makes a client
 *
 * The library's thread has all signals blocked, and runs no code of the program's but what pmq_set_log and
 * pmq_message_set_payload_static were given, which cannot call back: there, functions that return a status say
 * PMQ_STATUS_BUSY. The library changes no signal's handler, no environment and no locale.
 *
 * FORK. A child does not have its parent's clients: every function on such a client, and pmq_event_ack, says
 * PMQ_STATUS_FORKED, at once and without harm to the parent's connection, and freeing is harmless. A child may make clients
 * of its own, and set a log function of its own: that of its parent is not called in it, and nor is any pmq_drop_function
 * for what its parent gave.
 *
 * VERSIONS. Functions and numbers are added, never changed; what must change comes with another SONAME. No struct is
 * public. A program compares pmq_version_number() with what it needs.
 */

/** In place of the length of a text: it ends in NUL. */
#define PMQ_Z ((size_t)-1)


/**
 * What pmq_features tells: this build of the library does TLS.
 */
#define PMQ_FEATURE_TLS 1

/**
 * What pmq_features tells: this build of the library does WebSocket.
 */
#define PMQ_FEATURE_WEBSOCKET 2

/**
 * What pmq_features tells: this build of the library goes through proxies.
 */
#define PMQ_FEATURE_PROXY 4

/**
 * In place of a number: without end. For waits, and for pmq_options_set_session_expiry and pmq_options_set_reconnect.
 */
#define PMQ_FOREVER UINT32_MAX

/**
 * For pmq_client_subscribe: no messages that this client published itself (MQTT 5.0).
 */
#define PMQ_NO_LOCAL 1

/**
 * For pmq_client_subscribe: RETAIN as the publisher set it (MQTT 5.0).
 */
#define PMQ_RETAIN_AS_PUBLISHED 2

/**
 * For pmq_client_subscribe: retained messages come only if the subscription is new (MQTT 5.0).
 */
#define PMQ_RETAINED_IF_NEW 4

/**
 * For pmq_client_subscribe: retained messages do not come (MQTT 5.0).
 */
#define PMQ_RETAINED_NEVER 8

/**
 * What a call came to: zero for success, negative for an error. A number once given is never used for anything else; later
 * versions may add numbers.
 */
typedef enum {
  /**
   * The call did what it says.
   */
  PMQ_STATUS_OK = 0,
  /**
   * A pointer that must not be NULL was NULL, or its length cannot be one.
   */
  PMQ_STATUS_NULL = -1,
  /**
   * The library failed inside. Please report it, with the text that pmq_error_panic gives.
   */
  PMQ_STATUS_PANIC = -2,
  /**
   * The text is not well-formed UTF-8.
   */
  PMQ_STATUS_NOT_UTF8 = -3,
  /**
   * Not a valid Topic Name: empty, too long, or it holds a wildcard or U+0000.
   */
  PMQ_STATUS_TOPIC_NAME = -4,
  /**
   * Not a valid Topic Filter: empty, too long, a misplaced wildcard, or U+0000.
   */
  PMQ_STATUS_TOPIC_FILTER = -5,
  /**
   * An argument is out of its range.
   */
  PMQ_STATUS_ARGUMENT = -6,
  /**
   * The options cannot work: the message says which, and why.
   */
  PMQ_STATUS_OPTIONS = -7,
  /**
   * A property that does not exist, does not belong here, or has no such value.
   */
  PMQ_STATUS_PROPERTY = -8,
  /**
   * A queue is full. Nothing was changed; take events, wait, or try again later.
   */
  PMQ_STATUS_QUEUE_FULL = -9,
  /**
   * The message or request is larger than the server, the queue or the standard allows.
   */
  PMQ_STATUS_TOO_LARGE = -10,
  /**
   * The server, the version of MQTT or this build of the library does not offer it.
   */
  PMQ_STATUS_NOT_SUPPORTED = -11,
  /**
   * The time is over.
   */
  PMQ_STATUS_TIMEOUT = -12,
  /**
   * No completion is to be had for this token: it was taken or given up already, or never given.
   */
  PMQ_STATUS_TOKEN = -13,
  /**
   * The client has ended, or is about to.
   */
  PMQ_STATUS_STOPPED = -14,
  /**
   * The client belongs to the parent of this process. Nothing was done.
   */
  PMQ_STATUS_FORKED = -15,
  /**
   * The operating system refused something: see pmq_error_errno.
   */
  PMQ_STATUS_SYSTEM = -16,
  /**
   * There is no connection, or it was lost: the message says where and why.
   */
  PMQ_STATUS_CONNECTION = -17,
  /**
   * The server said no: see pmq_error_reason.
   */
  PMQ_STATUS_REFUSED = -18,
  /**
   * The message's expiry interval was over before it could be sent.
   */
  PMQ_STATUS_EXPIRED = -19,
  /**
   * The message was given up: pushed out of a full queue, or its session was lost.
   */
  PMQ_STATUS_DROPPED = -20,
  /**
   * The client has ended, and some publishes were not acknowledged before.
   */
  PMQ_STATUS_UNFINISHED = -21,
  /**
   * The message was acknowledged or refused before.
   */
  PMQ_STATUS_ANSWERED = -22,
  /**
   * TLS came to nothing: the message says what is wrong with which certificate.
   */
  PMQ_STATUS_TLS = -23,
  /**
   * A function given to pmq_set_log, or a pmq_drop_function, called back into the library. Nothing was done.
   */
  PMQ_STATUS_BUSY = -24,
} pmq_status;

/**
 * How much a record of the log matters.
 */
typedef enum {
  /**
   * A client came to its end.
   */
  PMQ_LOG_LEVEL_ERROR = 1,
  /**
   * Something is wrong, and the client goes on: no connection, a message given up.
   */
  PMQ_LOG_LEVEL_WARNING = 2,
  /**
   * Connections that come and go.
   */
  PMQ_LOG_LEVEL_INFO = 3,
  /**
   * What helps to understand the client itself.
   */
  PMQ_LOG_LEVEL_DEBUG = 4,
} pmq_log_level;

/**
 * What a client is doing.
 */
typedef enum {
  /**
   * Opening a connection, or waiting for the server's answer.
   */
  PMQ_STATE_CONNECTING = 0,
  /**
   * The server accepted the client.
   */
  PMQ_STATE_CONNECTED = 1,
  /**
   * Waiting before it connects again.
   */
  PMQ_STATE_WAITING = 2,
  /**
   * It was told to stop and flushes.
   */
  PMQ_STATE_STOPPING = 3,
  /**
   * It has ended.
   */
  PMQ_STATE_STOPPED = 4,
  /**
   * There is no connection, and none is tried: it was made this moment, or has nothing to do
   * (pmq_options_set_idle_disconnect).
   */
  PMQ_STATE_IDLE = 5,
} pmq_state;

/**
 * What an event is about.
 */
typedef enum {
  /**
   * None: what a NULL event is.
   */
  PMQ_EVENT_NONE = 0,
  /**
   * The server accepted the client. Has: session_present, client_id, address, protocol, properties.
   */
  PMQ_EVENT_CONNECTED = 1,
  /**
   * The connection that PMQ_EVENT_CONNECTED told of is over. Has an error unless the program asked for it, be it by
   * pmq_options_set_idle_disconnect. Has properties if the server ended it with a DISCONNECT.
   */
  PMQ_EVENT_DISCONNECTED = 2,
  /**
   * An attempt to connect failed, or the connection was lost; there will be another one. Has: error, attempt, delay_ms,
   * and properties if the server refused the client or ended the connection in words of MQTT.
   */
  PMQ_EVENT_RECONNECTING = 3,
  /**
   * The client has ended and will not come back; nothing comes after this. Has an error unless the program asked for it,
   * and properties as PMQ_EVENT_RECONNECTING.
   */
  PMQ_EVENT_STOPPED = 4,
  /**
   * A message. Has: message. Owes an acknowledgement if the options say so: see pmq_event_ack.
   */
  PMQ_EVENT_MESSAGE = 5,
  /**
   * The outcome of a publish. Has: token, status, reason, properties, and an error if it was not delivered.
   */
  PMQ_EVENT_PUBLISHED = 6,
  /**
   * The answer to a subscribe. Has: token, status, reasons, properties, and an error if a filter was refused.
   */
  PMQ_EVENT_SUBSCRIBED = 7,
  /**
   * The answer to an unsubscribe. Has what PMQ_EVENT_SUBSCRIBED has.
   */
  PMQ_EVENT_UNSUBSCRIBED = 8,
  /**
   * Messages were dropped, because the inbox was full. Has: count.
   */
  PMQ_EVENT_DROPPED = 9,
  /**
   * The answer to a request. Has: token, status, and the message, or an error if none came.
   */
  PMQ_EVENT_RESPONSE = 10,
} pmq_event_kind;

/**
 * Which version of MQTT to speak.
 */
typedef enum {
  /**
   * 5.0, and 3.1.1 if the server does not know 5.0. The default.
   */
  PMQ_PROTOCOL_AUTO = 0,
  /**
   * 3.1.
   */
  PMQ_PROTOCOL_V31 = 3,
  /**
   * 3.1.1.
   */
  PMQ_PROTOCOL_V311 = 4,
  /**
   * 5.0.
   */
  PMQ_PROTOCOL_V5 = 5,
} pmq_protocol;

/**
 * What happens to a publish when the queue is full.
 */
typedef enum {
  /**
   * The call is refused with PMQ_STATUS_QUEUE_FULL. The default.
   */
  PMQ_ON_FULL_REFUSE = 0,
  /**
   * The oldest message that was not yet sent is dropped; its completion says so.
   */
  PMQ_ON_FULL_DROP_OLDEST = 1,
  /**
   * The new message is dropped: the call succeeds and the completion says so.
   */
  PMQ_ON_FULL_DROP_NEWEST = 2,
} pmq_on_full;

/**
 * How completions of tokens come to the program.
 */
typedef enum {
  /**
   * As events, unless pmq_client_wait takes them before. The default, for programs that take events.
   */
  PMQ_COMPLETIONS_EVENT = 0,
  /**
   * By pmq_client_wait alone. For programs that wait on one thread while another takes events.
   */
  PMQ_COMPLETIONS_WAIT = 1,
} pmq_completions;

/**
 * What pmq_client_stat tells. All since the client was made.
 */
typedef enum {
  /**
   * Publishes without an outcome now.
   */
  PMQ_STAT_QUEUED = 0,
  /**
   * Bytes they hold.
   */
  PMQ_STAT_QUEUED_BYTES = 1,
  /**
   * How many of them were handed to a connection.
   */
  PMQ_STAT_IN_FLIGHT = 2,
  /**
   * QoS 0 publishes written for a connection.
   */
  PMQ_STAT_SENT = 3,
  /**
   * QoS 1 and 2 publishes that the server took.
   */
  PMQ_STAT_ACKNOWLEDGED = 4,
  /**
   * Publishes with any other outcome.
   */
  PMQ_STAT_FAILED = 5,
  /**
   * Messages received.
   */
  PMQ_STAT_RECEIVED = 6,
  /**
   * Received messages that wait for the program now.
   */
  PMQ_STAT_WAITING = 7,
  /**
   * Received messages that are held unacknowledged behind a full inbox now.
   */
  PMQ_STAT_HELD = 8,
  /**
   * Received messages that were dropped.
   */
  PMQ_STAT_DROPPED = 9,
  /**
   * Messages that were freed without the answer they owed.
   */
  PMQ_STAT_UNANSWERED = 10,
  /**
   * How often the connection came back.
   */
  PMQ_STAT_RECONNECTS = 11,
} pmq_stat;

/**
 * A version of TLS.
 */
typedef enum {
  /**
   * TLS 1.2.
   */
  PMQ_TLS_VERSION_V12 = 12,
  /**
   * TLS 1.3.
   */
  PMQ_TLS_VERSION_V13 = 13,
} pmq_tls_version;

/**
 * A client: one connection to a server that comes back by itself.
 */
typedef struct pmq_client pmq_client;

/**
 * Why a call failed, in full. Owned by whoever got it; see pmq_error_free.
 */
typedef struct pmq_error pmq_error;

/**
 * Something a client has to tell. Owned by whoever took it; see pmq_event_free.
 */
typedef struct pmq_event pmq_event;

/**
 * An application message: a topic, a payload, and how it is to be delivered.
 */
typedef struct pmq_message pmq_message;

/**
 * Everything a client is told before it is made. One set of options may make any number of clients.
 */
typedef struct pmq_options pmq_options;

/**
 * A list of MQTT 5.0 properties, in their order. Each has an identifier, which is the standard's number (2.2.2.2), and either
 * a number, or a text or binary data; a User Property (38) has a name and a value, both text.
 */
typedef struct pmq_properties pmq_properties;

/**
 * TLS 1.2 and 1.3. Unless told otherwise, the server's certificate must lead to an authority that the system trusts, be valid
 * now, and be for the host that was asked for. Files are read when a client is made, and what cannot work is refused there.
 */
typedef struct pmq_tls pmq_tls;

/**
 * Takes a record of the log: one line of text, UTF-8 that ends in NUL and lives until the function returns. The function must
 * return: a C++ exception must not leave it, nor may longjmp.
 */
typedef void (*pmq_log_function)(pmq_log_level level, const char *text, void *userdata);

/**
 * Takes back what a program gave the library to keep: `userdata` is not looked at any more. It cannot call back: inside of it,
 * functions that return a status do nothing and say PMQ_STATUS_BUSY. It must return: a C++ exception must not leave it, nor
 * may longjmp.
 */
typedef void (*pmq_drop_function)(void *userdata);

/**
 * Takes one event, which is the library's and lives until the handler returns (pmq_event_clone keeps it). The handler must
 * return: a C++ exception must not leave it, nor may longjmp.
 */
typedef void (*pmq_handler)(const pmq_event *event, void *userdata);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, such as "0.1.0". Static text: never freed.
 */
const char *pmq_version(void);

/**
 * The version as a number, to be compared: 0x010203 is 1.2.3.
 */
uint32_t pmq_version_number(void);

/**
 * The number of the binary interface, which is that of the SONAME. It grows when a program must be compiled anew.
 */
uint32_t pmq_abi(void);

/**
 * What this build can do beside plain TCP: PMQ_FEATURE_TLS, PMQ_FEATURE_WEBSOCKET and PMQ_FEATURE_PROXY, each or
 * none.
 */
uint32_t pmq_features(void);

/**
 * The name of a pmq_status as written in this header, or "unknown status". Static text: never freed.
 */
const char *pmq_status_name(int32_t status);

/**
 * The standard's name of an MQTT Reason Code, such as "Not authorized", or "unknown". Static text: never freed.
 */
const char *pmq_reason_name(uint8_t reason);

/**
 * Tells whether an MQTT Reason Code means failure (0x80 and above).
 */
bool pmq_reason_is_error(uint8_t reason);

/**
 * Ends every client of this process and the library's thread, within about `timeout_ms`: publishes are flushed, connections
 * closed in good order, the thread joined, and what pmq_set_log was given let go of. Nothing has to call it; it is for the end
 * of a program that wants nothing left running. Handles stay valid and are to be freed as always. A client made later begins
 * anew. (dlclose alone ends nothing: it leaves the library where it is.)
 */
pmq_status pmq_shutdown(uint32_t timeout_ms,
                        pmq_error **error);

/**
 * What kind of failure it was; PMQ_STATUS_OK for NULL.
 */
pmq_status pmq_error_status(const pmq_error *error);

/**
 * The MQTT Reason Code that the server gave; 0 if it gave none.
 */
uint8_t pmq_error_reason(const pmq_error *error);

/**
 * The operating system's error number (errno); 0 if it was not the one to refuse.
 */
int pmq_error_errno(const pmq_error *error);

/**
 * What happened, for people: one line that names the cause. Lives as long as the error. An empty text for NULL.
 */
const char *pmq_error_message(const pmq_error *error);

/**
 * With PMQ_STATUS_PANIC, the text of the panic and where it happened; otherwise NULL. Lives as long as the error.
 */
const char *pmq_error_panic(const pmq_error *error);

/**
 * Frees an error and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless.
 */
void pmq_error_free(pmq_error **error);

/**
 * Has the library tell `log`, with `userdata`, of what it does, as far as that matters as much as `level`, a pmq_log_level.
 * One function at a time, for all clients of the process: this one takes the place of the one before, and NULL unsets it (the
 * other arguments are not looked at then). Nothing is told of before, and payloads and passwords never are.
 *
 * Other than handlers, `log` runs on the library's thread, where all clients wait for it, and in pmq_client_new on the
 * caller's, maybe at the same time. It cannot call back: inside of it, and of `drop`, functions that return a status do
 * nothing and say PMQ_STATUS_BUSY. The others do their work.
 *
 * `drop`, unless NULL, is called with `userdata` exactly once, when `log` will not be called any more: after it was replaced
 * or unset, or by pmq_shutdown. Mostly that is before those return; where `log` runs at that moment, it is right after. If
 * this call fails, nothing was taken. The end of the process calls neither, and nor does a forked child, which has no log
 * function until it sets its own.
 */
pmq_status pmq_set_log(int32_t level,
                       pmq_log_function log,
                       void *userdata,
                       pmq_drop_function drop,
                       pmq_error **error);

/**
 * Tells whether the text is a valid Topic Name: 1 to 65,535 bytes of UTF-8 without wildcards and U+0000.
 * PMQ_STATUS_TOPIC_NAME says that it is none, and the error why.
 */
pmq_status pmq_topic_name_check(const char *name, size_t name_len, pmq_error **error);

/**
 * Tells whether the text is a valid Topic Filter: 1 to 65,535 bytes of UTF-8, `+` and `#` only as whole levels, `#` only at
 * the end, and a well-formed share name after `$share/`. PMQ_STATUS_TOPIC_FILTER says that it is none, and the error why.
 */
pmq_status pmq_topic_filter_check(const char *filter,
                                  size_t filter_len,
                                  pmq_error **error);

/**
 * Tells whether a Topic Filter matches a Topic Name.
 *
 * Of a shared subscription's filter only the part after the share name takes part. A filter that begins with a wildcard does
 * not match a name that begins with `$`.
 */
pmq_status pmq_topic_matches(const char *filter,
                             size_t filter_len,
                             const char *name,
                             size_t name_len,
                             bool *matches,
                             pmq_error **error);

/**
 * Makes an empty list. pmq_properties_free ends it.
 */
pmq_status pmq_properties_new(pmq_properties **properties, pmq_error **error);

/**
 * Makes a list of its own with the same properties.
 */
pmq_status pmq_properties_clone(const pmq_properties *properties, pmq_properties **clone, pmq_error **error);

/**
 * Frees a list and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless.
 */
void pmq_properties_free(pmq_properties **properties);

/**
 * Adds a property whose value is a number, a flag being 0 or 1.
 */
pmq_status pmq_properties_add_number(pmq_properties *properties,
                                     uint8_t id,
                                     uint32_t number,
                                     pmq_error **error);

/**
 * Adds a property whose value is text or binary data, which is copied.
 */
pmq_status pmq_properties_add_data(pmq_properties *properties,
                                   uint8_t id,
                                   const void *data,
                                   size_t data_len,
                                   pmq_error **error);

/**
 * Adds a User Property. Names may repeat.
 */
pmq_status pmq_properties_add_user(pmq_properties *properties,
                                   const char *name,
                                   size_t name_len,
                                   const char *value,
                                   size_t value_len,
                                   pmq_error **error);

/**
 * Removes the property at a place, counted from 0; those after it move up by one. PMQ_STATUS_ARGUMENT if there is none.
 */
pmq_status pmq_properties_remove(pmq_properties *properties,
                                 size_t place,
                                 pmq_error **error);

/**
 * Tells whether these properties may stand together in a packet: `packet_type` is the standard's number (2.1.2), of 1 CONNECT,
 * 3 PUBLISH or 8 SUBSCRIBE for example, and 0 means a Will. A packet that either end may send is taken for the client's.
 * PMQ_STATUS_PROPERTY says that they may not, and the error which one does not belong there, or stands there twice. (What
 * takes properties checks them by itself.)
 */
pmq_status pmq_properties_check(const pmq_properties *properties,
                                uint8_t packet_type,
                                pmq_error **error);

/**
 * How many properties there are; 0 for NULL.
 */
size_t pmq_properties_count(const pmq_properties *properties);

/**
 * The place of the first property with this identifier, looking from the place `from` on; the number of properties if there
 * is none.
 */
size_t pmq_properties_find(const pmq_properties *properties,
                           uint8_t id,
                           size_t from);

/**
 * The identifier of the property at a place, counted from 0; 0 if there is none.
 */
uint8_t pmq_properties_id(const pmq_properties *properties, size_t place);

/**
 * The number of the property at a place; 0 if it has none.
 */
uint32_t pmq_properties_number(const pmq_properties *properties, size_t place);

/**
 * The text or binary data of the property at a place, a User Property's value included; NULL if there is no such place. It
 * lives as long as the list and is not changed. It does not end in NUL: `len`, unless NULL, gets its length.
 */
const void *pmq_properties_data(const pmq_properties *properties,
                                size_t place,
                                size_t *len);

/**
 * The name of the User Property at a place, as pmq_properties_data gives the value.
 */
const char *pmq_properties_name(const pmq_properties *properties, size_t place, size_t *len);

/**
 * Makes a message: QoS 0, not retained, without properties. Topic and payload are copied; the payload may be empty, and
 * `payload` NULL then. pmq_message_free ends it. One message may be published any number of times.
 */
pmq_status pmq_message_new(const char *topic,
                           size_t topic_len,
                           const void *payload,
                           size_t payload_len,
                           pmq_message **message,
                           pmq_error **error);

/**
 * Makes a message of its own that is the same.
 */
pmq_status pmq_message_clone(const pmq_message *message, pmq_message **clone, pmq_error **error);

/**
 * Frees a message and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless.
 */
void pmq_message_free(pmq_message **message);

/**
 * Sets another topic.
 */
pmq_status pmq_message_set_topic(pmq_message *message,
                                 const char *topic,
                                 size_t topic_len,
                                 pmq_error **error);

/**
 * Sets another payload, which is copied.
 */
pmq_status pmq_message_set_payload(pmq_message *message,
                                   const void *payload,
                                   size_t payload_len,
                                   pmq_error **error);

/**
 * Sets another payload, which is not copied: it must stay as it is until `drop`, unless NULL, is called with `userdata`;
 * without a `drop`, for ever. Copies of the message, and publishes of it, share it. (One of less than 4 KiB is copied all the
 * same, and given back before this returns.)
 *
 * `drop` is called exactly once, when the library does not need the payload any more: after the message and its copies were
 * freed, or got another payload, and its publishes have their outcomes. That is on whichever thread lets go of it last, the
 * library's or one that calls a function of this header. If this call fails, nothing was taken; a forked child, which has a
 * copy of everything, calls nothing.
 */
pmq_status pmq_message_set_payload_static(pmq_message *message,
                                          const void *payload,
                                          size_t payload_len,
                                          pmq_drop_function drop,
                                          void *userdata,
                                          pmq_error **error);

/**
 * Sets the Quality of Service: 0 at most once, 1 at least once, 2 exactly once.
 */
pmq_status pmq_message_set_qos(pmq_message *message, uint8_t qos, pmq_error **error);

/**
 * Sets whether the server keeps the message for those who subscribe later. An empty payload makes it forget the one it has.
 */
pmq_status pmq_message_set_retain(pmq_message *message,
                                  bool retain,
                                  pmq_error **error);

/**
 * Sets other properties, which are copied: those that a client may put into PUBLISH, which are 1 Payload Format Indicator,
 * 2 Message Expiry Interval, 3 Content Type, 8 Response Topic, 9 Correlation Data and 38 User Property.
 */
pmq_status pmq_message_set_properties(pmq_message *message,
                                      const pmq_properties *properties,
                                      pmq_error **error);

/**
 * The topic; NULL for NULL. It lives as long as the message and is not changed. It does not end in NUL: `len`, unless NULL,
 * gets its length.
 */
const char *pmq_message_topic(const pmq_message *message,
                              size_t *len);

/**
 * The payload, as pmq_message_topic gives the topic. Never NULL for a message, however empty.
 */
const void *pmq_message_payload(const pmq_message *message, size_t *len);

/**
 * The Quality of Service at which it is published, or was received; 0 for NULL.
 */
uint8_t pmq_message_qos(const pmq_message *message);

/**
 * Whether it is to be kept, or was received because it was kept.
 */
bool pmq_message_retain(const pmq_message *message);

/**
 * Whether the server says that it may have sent this message before. Not told of the response to a request: false.
 */
bool pmq_message_dup(const pmq_message *message);

/**
 * Under which Packet Identifier the server sent a received message, 1 to 65,535; 0 at QoS 0, for the response to a request at
 * any QoS, and for a message that was not received. It helps to find a message in the logs of a server, and names it no longer
 * than until it is acknowledged.
 */
uint16_t pmq_message_packet_id(const pmq_message *message);

/**
 * The properties; NULL for NULL. They belong to the message, live as long as it does, and are not to be freed.
 */
const pmq_properties *pmq_message_properties(const pmq_message *message);

/**
 * Makes options for the server of a URL, such as "mqtt://user:password@host:1883/?client_id=a". NULL, with a length of 0,
 * stands for "mqtt://localhost:1883". pmq_options_free ends them.
 *
 * mqtt:// is plain TCP, mqtts:// TLS, ws:// and wss:// are WebSocket at the URL's path without and with TLS, unix:///path is a
 * Unix socket.
 *
 * Parameters of the URL (durations in whole seconds): client_id, client_id_prefix, keep_alive, clean_start, session_expiry,
 * connect_timeout, version (3, 4, 5, auto), receive_maximum, maximum_packet_size, topic_alias_maximum,
 * outgoing_topic_aliases.
 */
pmq_status pmq_options_new(const char *url,
                           size_t url_len,
                           pmq_options **options,
                           pmq_error **error);

/**
 * Frees options and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless. Clients made with them
 * are not concerned.
 */
void pmq_options_free(pmq_options **options);

/**
 * Sets the version of MQTT, a pmq_protocol.
 */
pmq_status pmq_options_set_protocol(pmq_options *options, int32_t protocol, pmq_error **error);

/**
 * Sets the Client Identifier exactly. Two connected clients with one identifier push each other out. An empty one asks the
 * server to choose.
 */
pmq_status pmq_options_set_client_id(pmq_options *options,
                                     const char *client_id,
                                     size_t client_id_len,
                                     pmq_error **error);

/**
 * Sets what the Client Identifier begins with; 16 random digits follow, drawn anew for each client. Default: "pushmq".
 */
pmq_status pmq_options_set_client_id_prefix(pmq_options *options,
                                            const char *prefix,
                                            size_t prefix_len,
                                            pmq_error **error);

/**
 * Sets user name and password. A NULL password, with a length of 0, stands for none. They are never logged.
 */
pmq_status pmq_options_set_credentials(pmq_options *options,
                                       const char *username,
                                       size_t username_len,
                                       const void *password,
                                       size_t password_len,
                                       pmq_error **error);

/**
 * Sets whether the first connection starts with an empty session. Default true.
 */
pmq_status pmq_options_set_clean_start(pmq_options *options, bool clean_start, pmq_error **error);

/**
 * Sets how long the server keeps the session after the connection ended; PMQ_FOREVER has no end. Default 0: it ends with the
 * connection. In 3.x any value but 0 asks for a session that is kept.
 */
pmq_status pmq_options_set_session_expiry(pmq_options *options,
                                          uint32_t seconds,
                                          pmq_error **error);

/**
 * Sets the longest silence of this client. 0 turns it off. Default 60.
 */
pmq_status pmq_options_set_keep_alive(pmq_options *options, uint16_t seconds, pmq_error **error);

/**
 * Sets the Will: the message, which is copied, that the server publishes for a client that is gone without saying so, after
 * a delay (MQTT 5.0 only; otherwise 0).
 */
pmq_status pmq_options_set_will(pmq_options *options,
                                const pmq_message *message,
                                uint32_t delay_seconds,
                                pmq_error **error);

/**
 * Sets how many QoS 1 and 2 messages the server may have unacknowledged towards this client (MQTT 5.0), 1 to 65,535. Default
 * 1,024. Together with the largest packet it bounds what a server can make a program hold that does not take its events.
 */
pmq_status pmq_options_set_receive_maximum(pmq_options *options,
                                           uint16_t messages,
                                           pmq_error **error);

/**
 * Sets the largest packet accepted from the server, in bytes. Default 16 MiB.
 */
pmq_status pmq_options_set_max_packet(pmq_options *options, uint32_t bytes, pmq_error **error);

/**
 * Sets how many Topic Aliases the server may use (MQTT 5.0). Default 0.
 */
pmq_status pmq_options_set_topic_alias_max(pmq_options *options, uint16_t aliases, pmq_error **error);

/**
 * Sets how many Topic Aliases this client uses where the server allows them, so that each of its busiest topics is sent in
 * full only once in a connection (MQTT 5.0). Default 0.
 */
pmq_status pmq_options_set_outgoing_topic_aliases(pmq_options *options,
                                                  uint16_t aliases,
                                                  pmq_error **error);

/**
 * Sets the topic to which the responses to this client's requests are published (MQTT 5.0); no two clients may have the same.
 * Default: "response/" and 32 random digits. For servers that let a client subscribe only to certain topics.
 */
pmq_status pmq_options_set_response_topic(pmq_options *options,
                                          const char *topic,
                                          size_t topic_len,
                                          pmq_error **error);

/**
 * Adds a User Property to CONNECT (MQTT 5.0).
 */
pmq_status pmq_options_add_user_property(pmq_options *options,
                                         const char *name,
                                         size_t name_len,
                                         const char *value,
                                         size_t value_len,
                                         pmq_error **error);

/**
 * Sets the longest time from opening a connection to the server's answer, for each address. Default 10,000.
 */
pmq_status pmq_options_set_connect_timeout(pmq_options *options, uint32_t timeout_ms, pmq_error **error);

/**
 * Sets after how long without anything to do the client gives up its connection, from 1 ms; it connects again for the next
 * publish, request or subscribe. It has something to do as long as it has a subscription, a publish without an outcome, a
 * message that is not acknowledged, or a request without its response. PMQ_FOREVER keeps the connection. Default: that.
 *
 * Two things end with the connection. The client says DISCONNECT, which takes back its Will: the server does not publish that
 * then. And subscriptions that an earlier process made in a kept session are not known to the client: with no other, it hears
 * nothing of them until its next use.
 */
pmq_status pmq_options_set_idle_disconnect(pmq_options *options,
                                           uint32_t idle_ms,
                                           pmq_error **error);

/**
 * Sets when to connect again. The wait before an attempt begins at `min_ms` and doubles up to `max_ms`; `jitter_percent` of
 * it, 0 to 100, are random: 100 draws it evenly between 0 and the whole, 25 between three quarters and the whole, and 0 always
 * waits the whole. After `attempts` failures in a row the client ends; PMQ_FOREVER never gives up, and 0 never connects again:
 * the first failure or loss ends the client. Default: 500, 60,000, 100, PMQ_FOREVER. More than 100 percent is refused by
 * pmq_client_new. Whatever is set here, the client ends when the server's refusal would be the same again (bad credentials,
 * banned, identifier taken over).
 */
pmq_status pmq_options_set_reconnect(pmq_options *options,
                                     uint32_t min_ms,
                                     uint32_t max_ms,
                                     uint32_t jitter_percent,
                                     uint32_t attempts,
                                     pmq_error **error);

/**
 * Sets how many publishes, and bytes of them, may be without an outcome, and what happens beyond, a pmq_on_full. Default:
 * 10,000, 64 MiB, refuse. As many completions may wait to be taken: see "Tokens".
 */
pmq_status pmq_options_set_queue(pmq_options *options,
                                 size_t max_messages,
                                 size_t max_bytes,
                                 int32_t on_full,
                                 pmq_error **error);

/**
 * Sets how many received messages, and bytes of them, wait for the program. Beyond, QoS 0 is dropped and counted
 * (PMQ_EVENT_DROPPED), and QoS 1 and 2 are held unacknowledged, so that the server stops. Default: 1,024 and 16 MiB.
 */
pmq_status pmq_options_set_inbox(pmq_options *options,
                                 size_t max_messages,
                                 size_t max_bytes,
                                 pmq_error **error);

/**
 * Sets whether the program acknowledges received QoS 1 and 2 messages itself, by pmq_event_ack. Default false: they are
 * acknowledged when they are in the inbox.
 */
pmq_status pmq_options_set_manual_ack(pmq_options *options,
                                      bool manual,
                                      pmq_error **error);

/**
 * Sets how completions come to the program, a pmq_completions. See "Tokens".
 */
pmq_status pmq_options_set_completions(pmq_options *options, int32_t completions, pmq_error **error);

/**
 * Sets whether subscriptions come back by themselves when the server has lost the session. Default true. If not, they are over
 * then (but for those without an answer so far): PMQ_EVENT_CONNECTED without pmq_event_session_present has the program
 * subscribe again. Of a 3.1 server nobody knows whether it kept the session: with one, they are over with each connection.
 */
pmq_status pmq_options_set_resubscribe(pmq_options *options,
                                       bool resubscribe,
                                       pmq_error **error);

/**
 * Sets whether unacknowledged publishes are published anew when the server has lost the session. Default true: nothing is
 * lost, and a QoS 2 message may arrive twice.
 */
pmq_status pmq_options_set_republish(pmq_options *options,
                                     bool republish,
                                     pmq_error **error);

/**
 * Adds a server to those tried in turn. `host` is a name or an address, IPv6 without brackets.
 */
pmq_status pmq_options_add_address(pmq_options *options,
                                   const char *host,
                                   size_t host_len,
                                   uint16_t port,
                                   pmq_error **error);

/**
 * Adds the path of a Unix socket to the servers tried in turn.
 */
pmq_status pmq_options_add_unix(pmq_options *options, const char *path, size_t path_len, pmq_error **error);

/**
 * Sets the proxy through which TCP ports are reached, TLS and WebSocket included, as a URL: "http://user:password@host:port"
 * for CONNECT of HTTP (default port 80), or "socks5://user:password@host:port" (1080). It looks up the names of servers.
 * Environment variables are not looked at. NULL, with a length of 0, stands for no proxy. Default: none.
 */
pmq_status pmq_options_set_proxy(pmq_options *options,
                                 const char *url,
                                 size_t url_len,
                                 pmq_error **error);

/**
 * Has the client speak WebSocket at a path, which most servers want to be "/mqtt". ws:// and wss:// URLs do that by
 * themselves.
 */
pmq_status pmq_options_set_websocket(pmq_options *options,
                                     const char *path,
                                     size_t path_len,
                                     pmq_error **error);

/**
 * Adds an HTTP header to the request that begins a WebSocket, such as "Authorization". Values are never logged.
 */
pmq_status pmq_options_add_websocket_header(pmq_options *options,
                                            const char *name,
                                            size_t name_len,
                                            const char *value,
                                            size_t value_len,
                                            pmq_error **error);

/**
 * Sets whether the client goes where a server points to (MQTT 5.0). The credentials go there too. Default false.
 */
pmq_status pmq_options_set_follow_server_reference(pmq_options *options,
                                                   bool follow,
                                                   pmq_error **error);

/**
 * Makes TLS as most servers on the Internet want it. pmq_tls_free ends it.
 */
pmq_status pmq_tls_new(pmq_tls **tls, pmq_error **error);

/**
 * Frees TLS and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless. Options that it was set in
 * are not concerned.
 */
void pmq_tls_free(pmq_tls **tls);

/**
 * Sets the file of the authorities that may have signed the server's certificate, in PEM, in place of the system's. A
 * self-signed certificate of a server may stand there itself.
 */
pmq_status pmq_tls_set_ca_file(pmq_tls *tls,
                               const char *path,
                               size_t path_len,
                               pmq_error **error);

/**
 * As pmq_tls_set_ca_file, with the PEM itself, which is copied.
 */
pmq_status pmq_tls_set_ca_pem(pmq_tls *tls, const void *pem, size_t pem_len, pmq_error **error);

/**
 * Sets the files of this client's certificate (followed by intermediate ones) and private key, in PEM, for servers that ask
 * for one. An encrypted key needs pmq_tls_set_key_passphrase.
 */
pmq_status pmq_tls_set_client_cert_files(pmq_tls *tls,
                                         const char *certificate,
                                         size_t certificate_len,
                                         const char *key,
                                         size_t key_len,
                                         pmq_error **error);

/**
 * As pmq_tls_set_client_cert_files, with the PEM itself, which is copied.
 */
pmq_status pmq_tls_set_client_cert_pem(pmq_tls *tls,
                                       const void *certificate,
                                       size_t certificate_len,
                                       const void *key,
                                       size_t key_len,
                                       pmq_error **error);

/**
 * Sets what this client's private key is encrypted with (PKCS #8 only), which is never logged. NULL, with a length of 0,
 * stands for a key that is not encrypted. Default: that.
 */
pmq_status pmq_tls_set_key_passphrase(pmq_tls *tls,
                                      const void *passphrase,
                                      size_t passphrase_len,
                                      pmq_error **error);

/**
 * Sets the oldest version of TLS to speak, a pmq_tls_version. Default PMQ_TLS_VERSION_V12.
 */
pmq_status pmq_tls_set_min_version(pmq_tls *tls, int32_t version, pmq_error **error);

/**
 * Sets the name to ask the server for (SNI) and to find in its certificate. Default: the host of the address.
 */
pmq_status pmq_tls_set_server_name(pmq_tls *tls, const char *name, size_t name_len, pmq_error **error);

/**
 * Adds an application protocol to offer (ALPN), the best first. Default: none.
 */
pmq_status pmq_tls_add_alpn(pmq_tls *tls, const char *protocol, size_t protocol_len, pmq_error **error);

/**
 * Takes any certificate for good, so that ANYBODY ON THE WAY CAN READ AND CHANGE EVERYTHING, passwords included. For
 * experiments only: to trust one self-signed certificate there is pmq_tls_set_ca_file. Default false.
 */
pmq_status pmq_tls_set_insecure_no_verify(pmq_tls *tls,
                                          bool insecure,
                                          pmq_error **error);

/**
 * Has the client speak TLS, as `tls` says, which is copied. mqtts:// and wss:// URLs do that by themselves, and need this only
 * for what differs from pmq_tls_new.
 */
pmq_status pmq_options_set_tls(pmq_options *options,
                               const pmq_tls *tls,
                               pmq_error **error);

/**
 * Makes a client, which begins to connect in the background, and goes on until it is stopped or freed. The options are copied.
 * Events tell how it goes. The first client of a process starts the library's one thread.
 */
pmq_status pmq_client_new(const pmq_options *options,
                          pmq_client **client,
                          pmq_error **error);

/**
 * Frees a client and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless; so is freeing it
 * inside of a handler, which is the last that dispatch calls then.
 *
 * Does not wait: if it was not stopped before, the client ends in the background, flushing for up to two seconds, if the
 * process lasts so long. Its events and completions are lost, and its descriptor is closed. Calls of other threads that wait
 * right now return, those that wait for an event with PMQ_STATUS_STOPPED; later ones are not allowed.
 */
void pmq_client_free(pmq_client **client);

/**
 * Ends a client within `timeout_ms`, and waits for that: no more publishes are taken, those there are get their outcomes,
 * DISCONNECT is sent, and the connection is read to its end, so that nothing on its way is lost. Every token has its
 * completion then, and after all other events PMQ_EVENT_STOPPED waits to be taken. Of a client that has ended, this changes
 * nothing.
 *
 * PMQ_STATUS_UNFINISHED: it has ended, but some publishes were not acknowledged in time. PMQ_STATUS_TIMEOUT: the library's
 * thread gets no time to run; PMQ_EVENT_STOPPED will tell when it has ended.
 */
pmq_status pmq_client_stop(const pmq_client *client,
                           uint32_t timeout_ms,
                           pmq_error **error);

/**
 * Tells what a client is doing.
 */
pmq_status pmq_client_state(const pmq_client *client, pmq_state *state, pmq_error **error);

/**
 * Tells a number about a client: `stat` is a pmq_stat.
 */
pmq_status pmq_client_stat(const pmq_client *client, int32_t stat, uint64_t *value, pmq_error **error);

/**
 * Takes a message for sending, and never waits. It is copied, sent as soon as the connection and the server allow, in the
 * order of the calls, and survives reconnects. `token`, unless NULL, gets the token of its completion.
 *
 * PMQ_STATUS_QUEUE_FULL: as many publishes have no outcome, or tokens no taken completion, as the options allow.
 */
pmq_status pmq_client_publish(const pmq_client *client,
                              const pmq_message *message,
                              uint64_t *token,
                              pmq_error **error);

/**
 * Subscribes to `count` filters, an array of C strings, in one request, all with the same QoS and `flags` (PMQ_NO_LOCAL and
 * the like, or 0). The subscription comes back by itself after a reconnect. `token`, unless NULL, gets the token of the
 * answer.
 *
 * `properties`, unless NULL, are copied: User Properties (38), which alone a program may put into SUBSCRIBE (MQTT 5.0,
 * 3.8.2.1). They are sent again whenever the client has to subscribe anew. Where several calls have the same filter, the
 * server knows one subscription, which was asked for with the properties of the last of them, or anew with those of the first.
 *
 * PMQ_STATUS_PROPERTY: another property is among them. A connection of MQTT 3.x takes none: the error of the answer is
 * PMQ_STATUS_NOT_SUPPORTED then. It is PMQ_STATUS_TOO_LARGE where the server takes no packet so large.
 */
pmq_status pmq_client_subscribe(const pmq_client *client,
                                const char *const *filters,
                                size_t count,
                                uint8_t qos,
                                uint32_t flags,
                                const pmq_properties *properties,
                                uint64_t *token,
                                pmq_error **error);

/**
 * Ends every subscription of this client to exactly these filters. `token`, unless NULL, gets the token of the answer.
 *
 * `properties`, unless NULL, are copied: User Properties (38), as for pmq_client_subscribe (MQTT 5.0, 3.10.2.1). They are left
 * out where the connection speaks MQTT 3.x, and where the server takes no packet so large.
 *
 * The error of the answer is PMQ_STATUS_TOO_LARGE if the server takes no packet with so many filters: the subscriptions are
 * over here then, but the server was not told. Unsubscribe from fewer at a time.
 */
pmq_status pmq_client_unsubscribe(const pmq_client *client,
                                  const char *const *filters,
                                  size_t count,
                                  const pmq_properties *properties,
                                  uint64_t *token,
                                  pmq_error **error);

/**
 * Publishes a request, and never waits: the message with a Response Topic and Correlation Data, which it must not have itself
 * (MQTT 5.0, 4.10). `token` gets the token of the response: PMQ_EVENT_RESPONSE, or what pmq_client_wait gives, has it as its
 * message, or the error that none came within `timeout_ms` (PMQ_FOREVER has no end), that nobody subscribes to the topic of
 * the request (PMQ_STATUS_REFUSED with Reason Code 0x10), or that the request was not delivered.
 *
 * All requests of a client share one Response Topic (pmq_options_set_response_topic) and one subscription to it, which the
 * first of them makes; they are published when it stands. A response that comes too late is dropped. Who answers requests
 * takes the properties 8 and 9 off the message that asks, and publishes to that topic with that Correlation Data.
 *
 * PMQ_STATUS_QUEUE_FULL: as for pmq_client_publish. PMQ_STATUS_NOT_SUPPORTED: the connection speaks MQTT 3.x.
 */
pmq_status pmq_client_request(const pmq_client *client,
                              const pmq_message *message,
                              uint32_t timeout_ms,
                              uint64_t *token,
                              pmq_error **error);

/**
 * Waits for the completion of a token, at most `timeout_ms` (PMQ_FOREVER has no end), and takes it: `result`, unless NULL,
 * gets it as an event, to be freed.
 *
 * PMQ_STATUS_OK says that there is a completion, and not what became of the message: pmq_event_status(result) does. Without a
 * `result` its error, if any, is this call's. PMQ_STATUS_TIMEOUT: there is none yet; wait again. PMQ_STATUS_TOKEN: it was
 * taken already, or the token is none.
 */
pmq_status pmq_client_wait(const pmq_client *client,
                           uint64_t token,
                           uint32_t timeout_ms,
                           pmq_event **result,
                           pmq_error **error);

/**
 * Gives up a token: its completion will not come, neither as an event nor to a pmq_client_wait, one that waits right now
 * included, and its place is free. A publish that no connection has seen yet is taken back, and frees its place in the queue;
 * `taken_back`, unless NULL, tells whether that was so. Everything else goes on: a publish that was sent may be delivered, a
 * subscription made, and a request answered, though nobody hears that any more.
 *
 * PMQ_STATUS_TOKEN: the completion was taken already, or the token is none.
 */
pmq_status pmq_client_cancel(const pmq_client *client,
                             uint64_t token,
                             bool *taken_back,
                             pmq_error **error);

/**
 * Gives a descriptor for poll(2) and its like: readable as long as an event waits. It must not be read, written or closed; it
 * is the client's, stays the same, and is closed when the client is freed.
 */
pmq_status pmq_client_fd(const pmq_client *client,
                         int *fd,
                         pmq_error **error);

/**
 * Takes the next event, waiting at most `timeout_ms` for one (0 does not wait, PMQ_FOREVER has no end; a signal does not end
 * the wait). `event` gets it, to be freed.
 *
 * PMQ_STATUS_TIMEOUT: none came. PMQ_STATUS_STOPPED: none will come, for PMQ_EVENT_STOPPED was taken.
 */
pmq_status pmq_client_next_event(const pmq_client *client,
                                 uint32_t timeout_ms,
                                 pmq_event **event,
                                 pmq_error **error);

/**
 * Calls `handler` with `userdata` for each event that waits, at most `max` of them (0: until none waits), and never waits for
 * one. `count`, unless NULL, gets how many there were. No lock is held while the handler runs: it may make any call, on this
 * client and others, this one and pmq_client_free included. `userdata` is only passed on.
 */
pmq_status pmq_client_dispatch(const pmq_client *client,
                               pmq_handler handler,
                               void *userdata,
                               size_t max,
                               size_t *count,
                               pmq_error **error);

/**
 * What the event is about; PMQ_EVENT_NONE for NULL.
 */
pmq_event_kind pmq_event_type(const pmq_event *event);

/**
 * The token of what has come to its end; 0 for other events.
 */
uint64_t pmq_event_token(const pmq_event *event);

/**
 * The status of the event's error; PMQ_STATUS_OK if it has none.
 */
pmq_status pmq_event_status(const pmq_event *event);

/**
 * The error of the event; NULL if it has none. It belongs to the event, lives as long as it does, and is not to be freed.
 */
const pmq_error *pmq_event_error(const pmq_event *event);

/**
 * The Reason Code with which the server acknowledged a publish, or answered the first filter; 0 for other events. 0x10 says
 * that nobody subscribes to the topic (MQTT 5.0).
 */
uint8_t pmq_event_reason(const pmq_event *event);

/**
 * The Reason Codes with which the server answered the filters, in the order of the call, and through `count`, unless NULL,
 * how many they are. They live as long as the event.
 */
const uint8_t *pmq_event_reasons(const pmq_event *event,
                                 size_t *count);

/**
 * The message of PMQ_EVENT_MESSAGE, or of PMQ_EVENT_RESPONSE if one came; NULL for other events. It belongs to the event:
 * pmq_message_clone keeps it longer.
 */
const pmq_message *pmq_event_message(const pmq_event *event);

/**
 * The properties that came with what the server said: with its CONNACK (PMQ_EVENT_CONNECTED), with what ended a publish
 * (PMQ_EVENT_PUBLISHED), with its SUBACK or UNSUBACK (PMQ_EVENT_SUBSCRIBED, PMQ_EVENT_UNSUBSCRIBED), and with the CONNACK that
 * refused the client or the DISCONNECT that ended the connection (PMQ_EVENT_DISCONNECTED, PMQ_EVENT_RECONNECTING,
 * PMQ_EVENT_STOPPED), of whose User Properties the first 64 KiB are kept. NULL for other events, and where it said nothing.
 * They belong to the event.
 *
 * The filters of a subscribe may be answered by SUBACKs to several calls that have the same filters: the properties are those
 * of the one that answered the first filter that was refused or, if none was, the first filter.
 */
const pmq_properties *pmq_event_properties(const pmq_event *event);

/**
 * Whether the server resumed a session (PMQ_EVENT_CONNECTED).
 */
bool pmq_event_session_present(const pmq_event *event);

/**
 * The Client Identifier in force, whoever chose it (PMQ_EVENT_CONNECTED); otherwise NULL. It lives as long as the event and
 * does not end in NUL: `len`, unless NULL, gets its length.
 */
const char *pmq_event_client_id(const pmq_event *event,
                                size_t *len);

/**
 * Where the connection leads (PMQ_EVENT_CONNECTED), as pmq_event_client_id gives the identifier.
 */
const char *pmq_event_address(const pmq_event *event, size_t *len);

/**
 * The version of MQTT that is spoken, a pmq_protocol (PMQ_EVENT_CONNECTED); otherwise 0.
 */
int32_t pmq_event_protocol(const pmq_event *event);

/**
 * How many attempts in a row have failed (PMQ_EVENT_RECONNECTING); otherwise 0.
 */
uint32_t pmq_event_attempt(const pmq_event *event);

/**
 * How long the client waits before the next attempt (PMQ_EVENT_RECONNECTING); otherwise 0.
 */
uint64_t pmq_event_delay_ms(const pmq_event *event);

/**
 * How many messages were dropped since the last such event (PMQ_EVENT_DROPPED); otherwise 0.
 */
uint64_t pmq_event_count(const pmq_event *event);

/**
 * Answers a received message where the options say that the program does (pmq_options_set_manual_ack): with a `reason` below
 * 0x80 it was taken; with another one it was not, and the server will not send it again (MQTT 5.0; 3.x cannot refuse, and
 * acknowledges). Any thread may call this, at any time and in any order.
 *
 * PMQ_STATUS_OK also where no answer was owed, as for QoS 0, and after the connection was lost, when it is without effect: the
 * server sends the message again. PMQ_STATUS_ANSWERED the second time. An event that is freed without an answer refuses its
 * message.
 */
pmq_status pmq_event_ack(const pmq_event *event,
                         uint8_t reason,
                         pmq_error **error);

/**
 * As pmq_event_ack with a `reason` of 0x80 or above, and says why in words, for the log of the server (MQTT 5.0; left out
 * where they make the packet larger than the server takes).
 */
pmq_status pmq_event_reject(const pmq_event *event,
                            uint8_t reason,
                            const char *why,
                            size_t why_len,
                            pmq_error **error);

/**
 * Makes another handle to the same event, for a handler that wants to keep it. Each is freed on its own.
 */
pmq_status pmq_event_clone(const pmq_event *event, pmq_event **clone, pmq_error **error);

/**
 * Frees an event, and all that belongs to it, and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are
 * harmless.
 */
void pmq_event_free(pmq_event **event);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PUSHMQ_H */
