/*
 * What the Rust half of the extension may ask of the Zend engine.
 *
 * Here, in C, is what ext-php-rs cannot do: classes with the exact types of the stub, typed readonly properties,
 * exceptions with a trace, handlers that the garbage collector sees, PHP's own argument rules, ini settings and
 * interrupts. Everything that is about MQTT is on the Rust side.
 *
 * Ownership: a `zval *` or `zend_object *` argument is borrowed unless its comment says "takes".
 */
#ifndef MQTT_SHIM_H
#define MQTT_SHIM_H

#include "php.h"

/* The classes by number. The order is that of `Class` in src/shim.rs. */
enum mqtt_class {
	MQTT_QOS, MQTT_PROTOCOL, MQTT_TRANSPORT, MQTT_TLS_VERSION, MQTT_STATE, MQTT_DELIVERY_STATE, MQTT_ACK_MODE, MQTT_OVERFLOW, MQTT_RETAIN_HANDLING,
	MQTT_CLIENT, MQTT_DELIVERY, MQTT_BATCH, MQTT_SUBSCRIPTION, MQTT_MESSAGE_ITERATOR, MQTT_MESSAGE,
	MQTT_OPTIONS, MQTT_TLS, MQTT_PROPERTIES, MQTT_WILL, MQTT_OUTGOING,
	MQTT_CONNACK, MQTT_STATUS, MQTT_FLUSH_RESULT, MQTT_BATCH_RESULT,
	MQTT_CONNECTION_EXCEPTION, MQTT_AUTH_EXCEPTION, MQTT_PROTOCOL_EXCEPTION, MQTT_PUBLISH_EXCEPTION,
	MQTT_SUBSCRIBE_EXCEPTION, MQTT_TIMEOUT_EXCEPTION, MQTT_QUEUE_FULL_EXCEPTION, MQTT_INVALID_TOPIC_EXCEPTION,
	MQTT_INVALID_OPTION_EXCEPTION, MQTT_CLOSED_EXCEPTION,
	MQTT_CLASSES
};

/* The class entries of this start of the module: a SAPI may stop the module and start it again, so nobody keeps one. */
extern zend_class_entry *mqtt_class_entries[MQTT_CLASSES];

/* classes.c */
void mqtt_register_classes(void);
void *mqtt_native(zend_object *object);
void mqtt_set_native(zend_object *object, void *native);
void mqtt_new(int class_number, zval *result);
bool mqtt_construct_default(int class_number, zval *result);
bool mqtt_instance_of(const zend_object *object, int class_number);
bool mqtt_has_method(const zend_object *object, const char *name, size_t length);
void mqtt_init_property(zend_object *object, const char *name, size_t length, zval *takes_value);
zval *mqtt_place(zend_object *object, const zend_property_info *info);
zval *mqtt_property(zend_object *object, const char *name, size_t length);
void mqtt_enum_case(int class_number, const char *name, zval *result);
zval *mqtt_enum_value(zend_object *object);
void mqtt_throw(int class_number, zend_string *message, int reason_code);
zend_object *mqtt_create_exception(zend_class_entry *class_entry);

/* values.c */
void mqtt_construct(zend_execute_data *execute_data, int class_number);
bool mqtt_fill(zend_object *object, HashTable *named, zend_object *base, bool strict);

/* zend.c */
bool mqtt_argument_count(zend_execute_data *execute_data, uint32_t least, uint32_t most);
zend_object *mqtt_this(zend_execute_data *execute_data);
void mqtt_take_named_arguments(zend_execute_data *execute_data, zval *result);
zval *mqtt_argument(zend_execute_data *execute_data, uint32_t number);
zend_string *mqtt_string_argument(zval *argument, uint32_t number, bool nullable);
bool mqtt_int_argument(zval *argument, uint32_t number, bool nullable, zend_long *result);
bool mqtt_float_argument(zval *argument, uint32_t number, bool nullable, double *result);
bool mqtt_bool_argument(zval *argument, uint32_t number, bool *result);
zend_object *mqtt_object_argument(zval *argument, uint32_t number, int class_number);
bool mqtt_callable_argument(zval *argument, uint32_t number);
bool mqtt_iterable_argument(zval *argument, uint32_t number);
void mqtt_argument_type(uint32_t number, const char *expected, zval *argument);
void mqtt_argument_value(uint32_t number, const char *complaint);
bool mqtt_strict_caller(zend_execute_data *execute_data);
bool mqtt_to_string(zval *value, zval *result);
bool mqtt_call(zval *callable, uint32_t count, zval *arguments);
bool mqtt_iterate(zval *iterable, bool (*each)(void *context, zval *key, zval *value), void *context);
void mqtt_array_iterator(zval *takes_array, zval *result);
bool mqtt_may_open(const char *path);
bool mqtt_absolute_path(const char *path, zval *result);
bool mqtt_exception_pending(void);
void mqtt_type_error(const char *message);
void mqtt_error(const char *message);
const void *mqtt_stack(void);
bool mqtt_run_interrupt(void);
bool mqtt_preloading(void);
void mqtt_handler_set(zend_object *client, zend_ulong number, zval *callable);
bool mqtt_handler_get(zend_object *client, zend_ulong number, zval *result);
void mqtt_handler_delete(zend_object *client, zend_ulong number);
void mqtt_handlers_clear(zend_object *client);
void mqtt_register_ini(int type, int module_number);
void mqtt_unregister_ini(int type, int module_number);
void mqtt_display_ini(zend_module_entry *module);
zend_long mqtt_ini_int(const char *name, size_t length);
double mqtt_ini_float(const char *name, size_t length);
zend_string *mqtt_ini_string(const char *name, size_t length);

/* stream.c */
void mqtt_stream_open(void *takes_source, zval *result);

/* src/: called from here */
bool mqtt_is_log_level(const char *name, size_t length);
int mqtt_stream_descriptor(void *source);
void mqtt_stream_free(void *takes_source);
void mqtt_iteration_left(zend_object *iterator);
void mqtt_drop_native(int class_number, void *native);
bool mqtt_check_value(int class_number, zend_object *object);

#endif
