/* Arguments, calls, interrupts and settings: the engine's own ways of doing them. */

#include "shim.h"
#include "php_ini.h"
#include "main/fopen_wrappers.h"
#include "SAPI.h"
#include "ext/standard/info.h"
#include "zend_attributes.h"
#include "zend_enum.h"
#include "zend_exceptions.h"
#include "zend_interfaces.h"
#include "ext/spl/spl_array.h"

/* --- arguments: PHP's rules and PHP's words --- */

/* What a variadic parameter collected by name, or null. Stack traces show a SensitiveParameterValue in place of each value from
 * then on: of such arguments PHP heeds no #[\SensitiveParameter], at least in 8.2. */
void mqtt_take_named_arguments(zend_execute_data *execute_data, zval *result)
{
	HashTable *given, *masked;
	zend_string *name;
	zval *value;

	ZVAL_NULL(result);
	if (!(ZEND_CALL_INFO(execute_data) & ZEND_CALL_HAS_EXTRA_NAMED_PARAMS)) {
		return;
	}
	given = EX(extra_named_params);
	masked = zend_new_array(zend_hash_num_elements(given));
	ZEND_HASH_FOREACH_STR_KEY_VAL(given, name, value) {
		zend_class_entry *mask = zend_ce_sensitive_parameter_value;
		zval wrapped;

		ZVAL_DEREF(value);
		object_init_ex(&wrapped, mask);
		zend_call_known_instance_method_with_1_params(mask->constructor, Z_OBJ(wrapped), NULL, value);
		zend_hash_add_new(masked, name, &wrapped);
	} ZEND_HASH_FOREACH_END();
	EX(extra_named_params) = masked;
	ZVAL_ARR(result, given);
}

bool mqtt_argument_count(zend_execute_data *execute_data, uint32_t least, uint32_t most)
{
	uint32_t given = ZEND_NUM_ARGS();

	if (given < least || given > most) {
		zval named;

		mqtt_take_named_arguments(execute_data, &named);
		zval_ptr_dtor(&named);
		zend_wrong_parameters_count_error(least, most);
		return false;
	}
	return true;
}

zend_object *mqtt_this(zend_execute_data *execute_data)
{
	return Z_TYPE(EX(This)) == IS_OBJECT ? Z_OBJ(EX(This)) : NULL;
}

/* The argument, or NULL if it was not given. Numbers count from 1. */
zval *mqtt_argument(zend_execute_data *execute_data, uint32_t number)
{
	zval *argument;

	if (number > ZEND_NUM_ARGS()) {
		return NULL;
	}
	argument = ZEND_CALL_ARG(execute_data, number);
	ZVAL_DEREF(argument);
	return argument;
}

/* `nullable` only changes the words: where null is allowed, the Rust side has dealt with it before. */
zend_string *mqtt_string_argument(zval *argument, uint32_t number, bool nullable)
{
	zend_string *result;

	if (!zend_parse_arg_str(argument, &result, false, number)) {
		zend_wrong_parameter_type_error(number, nullable ? Z_EXPECTED_STRING_OR_NULL : Z_EXPECTED_STRING, argument);
		return NULL;
	}
	return result;
}

bool mqtt_int_argument(zval *argument, uint32_t number, bool nullable, zend_long *result)
{
	bool is_null;

	if (!zend_parse_arg_long(argument, result, &is_null, false, number)) {
		zend_wrong_parameter_type_error(number, nullable ? Z_EXPECTED_LONG_OR_NULL : Z_EXPECTED_LONG, argument);
		return false;
	}
	return true;
}

bool mqtt_float_argument(zval *argument, uint32_t number, bool nullable, double *result)
{
	bool is_null;

	if (!zend_parse_arg_double(argument, result, &is_null, false, number)) {
		zend_wrong_parameter_type_error(number, nullable ? Z_EXPECTED_DOUBLE_OR_NULL : Z_EXPECTED_DOUBLE, argument);
		return false;
	}
	return true;
}

bool mqtt_bool_argument(zval *argument, uint32_t number, bool *result)
{
	bool is_null;

	if (!zend_parse_arg_bool(argument, result, &is_null, false, number)) {
		zend_wrong_parameter_type_error(number, Z_EXPECTED_BOOL, argument);
		return false;
	}
	return true;
}

/* Every object and callable parameter of the stub may be null. */
zend_object *mqtt_object_argument(zval *argument, uint32_t number, int class_number)
{
	zend_class_entry *class_entry = mqtt_class_entries[class_number];

	if (Z_TYPE_P(argument) != IS_OBJECT || !instanceof_function(Z_OBJCE_P(argument), class_entry)) {
		zend_wrong_parameter_class_or_null_error(number, ZSTR_VAL(class_entry->name), argument);
		return NULL;
	}
	return Z_OBJ_P(argument);
}

bool mqtt_callable_argument(zval *argument, uint32_t number)
{
	char *error = NULL;

	if (zend_is_callable_ex(argument, NULL, 0, NULL, NULL, &error)) {
		if (error) {
			efree(error);
		}
		return true;
	}
	/* Frees the text. */
	zend_wrong_callback_or_null_error(number, error ? error : estrdup("no valid callback"));
	return false;
}

bool mqtt_iterable_argument(zval *argument, uint32_t number)
{
	if (zend_is_iterable(argument)) {
		return true;
	}
	mqtt_argument_type(number, "of type Traversable|array", argument);
	return false;
}

void mqtt_argument_type(uint32_t number, const char *expected, zval *argument)
{
	zend_argument_type_error(number, "must be %s, %s given", expected, zend_zval_type_name(argument));
}

void mqtt_argument_value(uint32_t number, const char *complaint)
{
	zend_argument_value_error(number, "%s", complaint);
}

void mqtt_type_error(const char *message)
{
	zend_type_error("%s", message);
}

void mqtt_error(const char *message)
{
	zend_throw_error(NULL, "%s", message);
}

/* Only to be compared: a fiber has a stack of its own. */
const void *mqtt_stack(void)
{
	return EG(current_fiber_context);
}

bool mqtt_strict_caller(zend_execute_data *execute_data)
{
	return EX(prev_execute_data) && EX(prev_execute_data)->func && ZEND_CALL_USES_STRICT_TYPES(EX(prev_execute_data));
}

/* --- calling PHP: control may leave by longjmp, so the Rust side holds nothing then --- */

bool mqtt_exception_pending(void)
{
	return EG(exception) != NULL;
}

/*
 * As PHP converts a value to a string. The string may be any bytes. false: it cannot be converted, or an exception is
 * pending.
 */
bool mqtt_to_string(zval *value, zval *result)
{
	zend_string *text;

	if (Z_TYPE_P(value) == IS_OBJECT && !Z_OBJCE_P(value)->__tostring) {
		return false;
	}
	text = zval_try_get_string(value);
	if (!text) {
		return false;
	}
	ZVAL_STR(result, text);
	return true;
}

/* false: an exception is pending. exit() is one of its kind and must be left pending, too. */
bool mqtt_call(zval *callable, uint32_t count, zval *arguments)
{
	zval result;

	ZVAL_UNDEF(&result);
	if (call_user_function(NULL, NULL, callable, &result, count, arguments) == FAILURE && !EG(exception)) {
		zend_throw_error(NULL, "the handler cannot be called");
	}
	zval_ptr_dtor(&result);
	return EG(exception) == NULL;
}

static bool iterate_object(zval *iterable, bool (*each)(void *context, zval *key, zval *value), void *context)
{
	zend_class_entry *class_entry = Z_OBJCE_P(iterable);
	zend_object_iterator *iterator = class_entry->get_iterator(class_entry, iterable, 0);
	zend_ulong position = 0;

	if (!iterator || EG(exception)) {
		if (iterator) {
			zend_iterator_dtor(iterator);
		}
		return false;
	}
	if (iterator->funcs->rewind) {
		iterator->funcs->rewind(iterator);
	}
	while (!EG(exception) && iterator->funcs->valid(iterator) == SUCCESS) {
		zval key, *value = iterator->funcs->get_current_data(iterator);
		bool go_on;

		if (EG(exception) || !value) {
			break;
		}
		if (iterator->funcs->get_current_key) {
			iterator->funcs->get_current_key(iterator, &key);
			if (EG(exception)) {
				break;
			}
		} else {
			ZVAL_LONG(&key, position);
		}
		position++;
		ZVAL_DEREF(value);
		go_on = each(context, &key, value);
		zval_ptr_dtor(&key);
		if (!go_on || EG(exception)) {
			break;
		}
		iterator->funcs->move_forward(iterator);
	}
	zend_iterator_dtor(iterator);
	return EG(exception) == NULL;
}

/* Calls `each` for each element until it says false. false: an exception is pending. */
bool mqtt_iterate(zval *iterable, bool (*each)(void *context, zval *key, zval *value), void *context)
{
	zend_ulong number;
	zend_string *name;
	zval *value, key, held;

	if (Z_TYPE_P(iterable) != IS_ARRAY) {
		return iterate_object(iterable, each, context);
	}
	/* Held, because a conversion to string may run code that changes the variable. */
	ZVAL_COPY(&held, iterable);
	ZEND_HASH_FOREACH_KEY_VAL(Z_ARRVAL(held), number, name, value) {
		if (name) {
			ZVAL_STR(&key, name);
		} else {
			ZVAL_LONG(&key, number);
		}
		ZVAL_DEREF(value);
		if (!each(context, &key, value) || EG(exception)) {
			break;
		}
	} ZEND_HASH_FOREACH_END();
	zval_ptr_dtor(&held);
	return EG(exception) == NULL;
}

void mqtt_array_iterator(zval *array, zval *result)
{
	object_init_ex(result, spl_ce_ArrayIterator);
	zend_call_known_instance_method_with_1_params(spl_ce_ArrayIterator->constructor, Z_OBJ_P(result), NULL, array);
	zval_ptr_dtor(array);
}

/* Whether the settings of PHP let scripts open this file. */
bool mqtt_may_open(const char *path)
{
	return php_check_open_basedir_ex(path, 0) == 0;
}

/*
 * The path as seen from the working directory that PHP code knows: with threads, each has one of its own. Symbolic links
 * stay. false: it is too long.
 */
bool mqtt_absolute_path(const char *path, zval *result)
{
	char absolute[MAXPATHLEN];

	if (!expand_filepath(path, absolute)) {
		return false;
	}
	ZVAL_STRING(result, absolute);
	return true;
}

/*
 * What PHP does between two opcodes when a signal or the time limit asks for it; our waits do it too. Returns whether
 * there was anything to do. Does not return when the time limit has passed.
 */
bool mqtt_run_interrupt(void)
{
	if (!zend_atomic_bool_load_ex(&EG(vm_interrupt))) {
		return false;
	}
	zend_atomic_bool_store_ex(&EG(vm_interrupt), false);
	if (zend_atomic_bool_load_ex(&EG(timed_out))) {
		zend_timeout();
	} else if (zend_interrupt_function) {
		zend_interrupt_function(EG(current_execute_data));
	}
	return true;
}

/* Whether this is the request of opcache.preload, in which the process may be the master of all workers. */
bool mqtt_preloading(void)
{
	return CG(compiler_options) & ZEND_COMPILE_PRELOAD;
}

/* --- handlers: kept in a property, where the garbage collector looks --- */

/* array_walk() and ArrayObject reach private properties of any object: what is no array any more holds no handler. */
static zval *handlers_of(zend_object *client)
{
	zval *handlers = mqtt_property(client, "handlers", sizeof("handlers") - 1);

	ZVAL_DEREF(handlers);
	if (Z_TYPE_P(handlers) != IS_ARRAY) {
		zval old;

		ZVAL_COPY_VALUE(&old, handlers);
		ZVAL_EMPTY_ARRAY(handlers);
		zval_ptr_dtor(&old);
	}
	return handlers;
}

void mqtt_handler_set(zend_object *client, zend_ulong number, zval *callable)
{
	zval *handlers = handlers_of(client);

	SEPARATE_ARRAY(handlers);
	Z_TRY_ADDREF_P(callable);
	zend_hash_index_update(Z_ARRVAL_P(handlers), number, callable);
}

/* A reference of the caller's own: the handler may remove itself while it runs. */
bool mqtt_handler_get(zend_object *client, zend_ulong number, zval *result)
{
	zval *found = zend_hash_index_find(Z_ARRVAL_P(handlers_of(client)), number);

	if (!found) {
		return false;
	}
	ZVAL_COPY(result, found);
	return true;
}

void mqtt_handler_delete(zend_object *client, zend_ulong number)
{
	zval *handlers = handlers_of(client);

	SEPARATE_ARRAY(handlers);
	zend_hash_index_del(Z_ARRVAL_P(handlers), number);
}

void mqtt_handlers_clear(zend_object *client)
{
	zval none;

	ZVAL_EMPTY_ARRAY(&none);
	mqtt_init_property(client, "handlers", sizeof("handlers") - 1, &none);
}

/* --- settings --- */

/*
 * Shown without user and password, and without the query, which may hold a passphrase. An "@" after a "?" may end a password
 * or stand in the query: then even the host is not shown.
 */
static zend_string *without_secrets(const char *uri)
{
	size_t scheme = strcspn(uri, ":/?#@");
	const char *rest = uri, *host, *query;

	if (!strncmp(uri + scheme, "://", 3)) {
		rest += scheme + 3;
	}
	host = strrchr(rest, '@');
	query = strchr(rest, '?');
	if (host && query && host > query) {
		return zend_strpprintf(0, "%.*s***", (int) (rest - uri), uri);
	}
	return zend_strpprintf(0, "%.*s%s%.*s%s", (int) (rest - uri), uri, host ? "***" : "",
		(int) strcspn(host ? host : rest, "?"), host ? host : rest, query ? "?***" : "");
}

static ZEND_INI_DISP(display_uri)
{
	zend_string *uri = type == ZEND_INI_DISPLAY_ORIG && ini_entry->modified ? ini_entry->orig_value : ini_entry->value;
	zend_string *shown;

	if (!uri || !ZSTR_LEN(uri)) {
		PHPWRITE("no value", sizeof("no value") - 1);
		return;
	}
	shown = without_secrets(ZSTR_VAL(uri));
	if (!sapi_module.phpinfo_as_text) {
		zend_string *escaped = php_info_html_esc(ZSTR_VAL(shown));

		zend_string_release(shown);
		shown = escaped;
	}
	PHPWRITE(ZSTR_VAL(shown), ZSTR_LEN(shown));
	zend_string_release(shown);
}

/* Numbers may end in K, M or G. What is no such number is warned of, as for PHP's own settings. */
static ZEND_INI_MH(check_quantity)
{
	if (new_value) {
		zend_ini_parse_quantity_warn(new_value, entry->name);
	}
	return SUCCESS;
}

static ZEND_INI_MH(check_log_level)
{
	if (mqtt_is_log_level(ZSTR_VAL(new_value), ZSTR_LEN(new_value))) {
		return SUCCESS;
	}
	zend_error(E_WARNING, "mqtt.log_level must be debug, info, warning or error");
	return FAILURE;
}

PHP_INI_BEGIN()
	PHP_INI_ENTRY_EX("mqtt.default_uri", "", PHP_INI_ALL, NULL, display_uri)
	PHP_INI_ENTRY("mqtt.client_id_prefix", "php", PHP_INI_ALL, NULL)
	PHP_INI_ENTRY("mqtt.connect_timeout", "10", PHP_INI_ALL, NULL)
	PHP_INI_ENTRY("mqtt.queue_max_messages", "10000", PHP_INI_ALL, check_quantity)
	PHP_INI_ENTRY("mqtt.queue_max_bytes", "67108864", PHP_INI_ALL, check_quantity)
	PHP_INI_ENTRY("mqtt.flush_on_request_end_ms", "0", PHP_INI_ALL, check_quantity)
	PHP_INI_ENTRY("mqtt.shutdown_timeout_ms", "2000", PHP_INI_SYSTEM, check_quantity)
	PHP_INI_ENTRY("mqtt.idle_disconnect_s", "0", PHP_INI_SYSTEM, check_quantity)
	PHP_INI_ENTRY("mqtt.max_persistent", "16", PHP_INI_SYSTEM, check_quantity)
	PHP_INI_ENTRY("mqtt.log_level", "info", PHP_INI_ALL, check_log_level)
PHP_INI_END()

void mqtt_register_ini(int type, int module_number)
{
	REGISTER_INI_ENTRIES();
}

void mqtt_unregister_ini(int type, int module_number)
{
	UNREGISTER_INI_ENTRIES();
}

void mqtt_display_ini(zend_module_entry *module)
{
	display_ini_entries(module);
}

zend_long mqtt_ini_int(const char *name, size_t length)
{
	zend_string *lookup = zend_string_init(name, length, false);
	zend_string *value = zend_ini_get_value(lookup), *error = NULL;
	zend_long number = value ? zend_ini_parse_quantity(value, &error) : 0;

	zend_string_release(lookup);
	if (error) {
		/* It was said when the setting was made. */
		zend_string_release(error);
	}
	return number;
}

double mqtt_ini_float(const char *name, size_t length)
{
	return zend_ini_double(name, length, 0);
}

/* NULL where the setting is empty. Borrowed, until the setting changes. */
zend_string *mqtt_ini_string(const char *name, size_t length)
{
	zend_string *lookup = zend_string_init(name, length, false);
	zend_string *value = zend_ini_get_value(lookup);

	zend_string_release(lookup);
	return value && ZSTR_LEN(value) ? value : NULL;
}
