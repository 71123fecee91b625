/* The classes of the stub: registered, created, freed; and the exceptions. */

#include "shim.h"
#include "zend_attributes.h"
#include "zend_enum.h"
#include "zend_exceptions.h"
#include "zend_interfaces.h"
#include "ext/spl/spl_exceptions.h"

#include "mqtt_arginfo.h"

zend_class_entry *mqtt_class_entries[MQTT_CLASSES];

/* An object with a Rust value behind it. `native` is NULL until the Rust side sets it. */
typedef struct {
	void *native;
	zend_object std;
} mqtt_object;

/* One handler table per class with a native value: the class is known by the table when such an object is freed. */
static zend_object_handlers native_handlers[MQTT_MESSAGE + 1];
/* The most that one class has. */
#define MOST_SECRETS 3

/*
 * An object with secrets: its private properties. They are declared, for their types, and never initialised, as the values are
 * here: what is in no property is shown by no dump, cast, loop, Reflection or whatever else goes through properties.
 */
typedef struct {
	/* In the order of those properties. */
	zval secrets[MOST_SECRETS];
	zend_object std;
} mqtt_secretive;

static zend_object_handlers secretive_handlers;

static zval *secrets_of(zend_object *object)
{
	return ((mqtt_secretive *) ((char *) object - XtOffsetOf(mqtt_secretive, std)))->secrets;
}

static bool is_secret(const zend_object *object, const zend_property_info *info)
{
	return object->handlers == &secretive_handlers && (info->flags & ZEND_ACC_PRIVATE);
}

static mqtt_object *from_zend(zend_object *object)
{
	return (mqtt_object *) ((char *) object - XtOffsetOf(mqtt_object, std));
}

void *mqtt_native(zend_object *object)
{
	return from_zend(object)->native;
}

void mqtt_set_native(zend_object *object, void *native)
{
	from_zend(object)->native = native;
}

static int class_number_of(zend_class_entry *class_entry)
{
	for (int i = MQTT_CLIENT; i <= MQTT_MESSAGE; i++) {
		if (mqtt_class_entries[i] == class_entry) {
			return i;
		}
	}
	return -1;
}

static zend_object *create_native(zend_class_entry *class_entry)
{
	mqtt_object *created = zend_object_alloc(sizeof(mqtt_object), class_entry);

	created->native = NULL;
	zend_object_std_init(&created->std, class_entry);
	object_properties_init(&created->std, class_entry);
	created->std.handlers = &native_handlers[class_number_of(class_entry)];
	return &created->std;
}

static void free_native(zend_object *object)
{
	mqtt_object *freed = from_zend(object);
	int class_number = (int) (object->handlers - native_handlers);
	void *native;

	/* An exception is unwinding, or a fatal error ended the script: then the body of the loop did not finish. */
	if (class_number == MQTT_MESSAGE_ITERATOR && freed->native && !EG(exception) && !CG(unclean_shutdown)) {
		mqtt_iteration_left(object);
	}
	native = freed->native;
	freed->native = NULL;
	if (native) {
		mqtt_drop_native(class_number, native);
	}
	zend_object_std_dtor(object);
}

static zend_object *create_secretive(zend_class_entry *class_entry)
{
	mqtt_secretive *created = zend_object_alloc(sizeof(mqtt_secretive), class_entry);

	for (int i = 0; i < MOST_SECRETS; i++) {
		ZVAL_UNDEF(&created->secrets[i]);
	}
	zend_object_std_init(&created->std, class_entry);
	object_properties_init(&created->std, class_entry);
	created->std.handlers = &secretive_handlers;
	return &created->std;
}

static void free_secretive(zend_object *object)
{
	for (int i = 0; i < MOST_SECRETS; i++) {
		zval_ptr_dtor(&secrets_of(object)[i]);
		ZVAL_UNDEF(&secrets_of(object)[i]);
	}
	zend_object_std_dtor(object);
}

static zend_object *clone_secretive(zend_object *object)
{
	zend_object *copy = create_secretive(object->ce);

	zend_objects_clone_members(copy, object);
	for (int i = 0; i < MOST_SECRETS; i++) {
		ZVAL_COPY(&secrets_of(copy)[i], &secrets_of(object)[i]);
	}
	return copy;
}

static int compare_secretive(zval *one, zval *other)
{
	int result = zend_std_compare_objects(one, other);

	if (result != 0 || Z_TYPE_P(one) != IS_OBJECT || Z_TYPE_P(other) != IS_OBJECT || Z_OBJ_P(one) == Z_OBJ_P(other)) {
		return result;
	}
	for (int i = 0; result == 0 && i < MOST_SECRETS; i++) {
		result = zend_compare(&secrets_of(Z_OBJ_P(one))[i], &secrets_of(Z_OBJ_P(other))[i]);
	}
	return result;
}

/* Headers may hold references, and those may lead back to the object. */
static HashTable *cycles_of_secretive(zend_object *object, zval **table, int *count)
{
	zend_get_gc_buffer *buffer = zend_get_gc_buffer_create();
	HashTable *properties = zend_std_get_gc(object, table, count);

	for (int i = 0; i < *count; i++) {
		zend_get_gc_buffer_add_zval(buffer, *table + i);
	}
	for (int i = 0; i < MOST_SECRETS; i++) {
		zend_get_gc_buffer_add_zval(buffer, &secrets_of(object)[i]);
	}
	zend_get_gc_buffer_use(buffer, table, count);
	return properties;
}

/* Shows that there is a password or passphrase, or headers or a proxy, which may carry such, and nothing of it. */
static HashTable *without_secrets(zend_object *object, zend_prop_purpose purpose)
{
	HashTable *all = zend_std_get_properties_for(object, purpose), *shown;
	zval value;

	if (!all) {
		return NULL;
	}
	shown = zend_array_dup(all);
	zend_release_properties(all);
	for (int i = 0; i < object->ce->default_properties_count; i++) {
		zend_property_info *info = object->ce->properties_info_table[i];
		zval *place = mqtt_place(object, info);

		if (!is_secret(object, info) || Z_ISUNDEF_P(place)) {
			continue;
		}
		if (Z_TYPE_P(place) == IS_STRING || (Z_TYPE_P(place) == IS_ARRAY && zend_hash_num_elements(Z_ARRVAL_P(place)))) {
			ZVAL_STRING(&value, "***");
		} else {
			ZVAL_COPY(&value, place);
		}
		zend_hash_update(shown, info->name, &value);
	}
	return shown;
}

void mqtt_new(int class_number, zval *result)
{
	object_init_ex(result, mqtt_class_entries[class_number]);
}

/* false: an exception is pending. */
bool mqtt_construct_default(int class_number, zval *result)
{
	zend_class_entry *class_entry = mqtt_class_entries[class_number];

	object_init_ex(result, class_entry);
	zend_call_known_instance_method_with_0_params(class_entry->constructor, Z_OBJ_P(result), NULL);
	return EG(exception) == NULL;
}

bool mqtt_instance_of(const zend_object *object, int class_number)
{
	return instanceof_function(object->ce, mqtt_class_entries[class_number]);
}

/* The name in lower case. */
bool mqtt_has_method(const zend_object *object, const char *name, size_t length)
{
	return zend_hash_str_exists(&object->ce->function_table, name, length);
}

static zend_property_info *property_info(zend_object *object, const char *name, size_t length)
{
	zend_property_info *info = zend_hash_str_find_ptr(&object->ce->properties_info, name, length);

	ZEND_ASSERT(info && !(info->flags & ZEND_ACC_STATIC));
	return info;
}

/* Where the value of a property is. */
zval *mqtt_place(zend_object *object, const zend_property_info *info)
{
	int number = 0;

	if (!is_secret(object, info)) {
		return OBJ_PROP(object, info->offset);
	}
	for (int i = 0; object->ce->properties_info_table[i] != info; i++) {
		number += is_secret(object, object->ce->properties_info_table[i]);
	}
	ZEND_ASSERT(number < MOST_SECRETS);
	return &secrets_of(object)[number];
}

zval *mqtt_property(zend_object *object, const char *name, size_t length)
{
	return mqtt_place(object, property_info(object, name, length));
}

/* Properties are written straight into their slots: they are typed, and the types were checked before. */
void mqtt_init_property(zend_object *object, const char *name, size_t length, zval *value)
{
	zend_property_info *info = property_info(object, name, length);
	zval *slot = OBJ_PROP(object, info->offset);
	zval old;

	ZVAL_COPY_VALUE(&old, slot);
	ZVAL_COPY_VALUE(slot, value);
	Z_PROP_FLAG_P(slot) = 0;
	/* array_walk() and ArrayObject make references of private properties, too, which then know of the property. */
	if (Z_ISREF(old) && ZEND_REF_HAS_TYPE_SOURCES(Z_REF(old))) {
		ZEND_REF_DEL_TYPE_SOURCE(Z_REF(old), info);
	}
	/* Last: a destructor may run, and must find the object whole. */
	zval_ptr_dtor(&old);
}

void mqtt_enum_case(int class_number, const char *name, zval *result)
{
	zend_object *found = zend_enum_get_case_cstr(mqtt_class_entries[class_number], name);

	ZVAL_OBJ_COPY(result, found);
}

zval *mqtt_enum_value(zend_object *object)
{
	return zend_enum_fetch_case_value(object);
}

/* An exception has its reason code from the start, so that a subclass that does not call our constructor is whole. */
zend_object *mqtt_create_exception(zend_class_entry *class_entry)
{
	zend_object *created = zend_ce_exception->create_object(class_entry);
	zval none;

	ZVAL_NULL(&none);
	mqtt_init_property(created, "reasonCode", sizeof("reasonCode") - 1, &none);
	return created;
}

/* reason_code is -1 where there is none. */
void mqtt_throw(int class_number, zend_string *message, int reason_code)
{
	zend_object *thrown = zend_throw_exception(
		mqtt_class_entries[class_number], ZSTR_VAL(message), reason_code < 0 ? 0 : reason_code);

	if (thrown && reason_code >= 0) {
		zval code;
		ZVAL_LONG(&code, reason_code);
		mqtt_init_property(thrown, "reasonCode", sizeof("reasonCode") - 1, &code);
	}
}

static void construct_exception(INTERNAL_FUNCTION_PARAMETERS)
{
	zend_string *message = NULL;
	zend_long code = 0, reason_code = 0;
	bool no_reason_code = true;
	zend_object *previous = NULL;
	zval value, *self = ZEND_THIS;

	ZEND_PARSE_PARAMETERS_START(0, 4)
		Z_PARAM_OPTIONAL
		Z_PARAM_STR(message)
		Z_PARAM_LONG(code)
		Z_PARAM_OBJ_OF_CLASS_OR_NULL(previous, zend_ce_throwable)
		Z_PARAM_LONG_OR_NULL(reason_code, no_reason_code)
	ZEND_PARSE_PARAMETERS_END();

	if (message) {
		ZVAL_STR(&value, message);
		zend_update_property_ex(zend_ce_exception, Z_OBJ_P(self), ZSTR_KNOWN(ZEND_STR_MESSAGE), &value);
	}
	if (code) {
		ZVAL_LONG(&value, code);
		zend_update_property_ex(zend_ce_exception, Z_OBJ_P(self), ZSTR_KNOWN(ZEND_STR_CODE), &value);
	}
	if (previous) {
		ZVAL_OBJ(&value, previous);
		zend_update_property_ex(zend_ce_exception, Z_OBJ_P(self), ZSTR_KNOWN(ZEND_STR_PREVIOUS), &value);
	}
	if (!no_reason_code) {
		ZVAL_LONG(&value, reason_code);
		mqtt_init_property(Z_OBJ_P(self), "reasonCode", sizeof("reasonCode") - 1, &value);
	}
}

#define EXCEPTION_CONSTRUCTOR(name) \
	ZEND_METHOD(Mqtt_Exception_##name, __construct) { construct_exception(INTERNAL_FUNCTION_PARAM_PASSTHRU); }

EXCEPTION_CONSTRUCTOR(ConnectionException)
EXCEPTION_CONSTRUCTOR(PublishException)
EXCEPTION_CONSTRUCTOR(SubscribeException)
EXCEPTION_CONSTRUCTOR(TimeoutException)
EXCEPTION_CONSTRUCTOR(QueueFullException)
EXCEPTION_CONSTRUCTOR(InvalidTopicException)
EXCEPTION_CONSTRUCTOR(InvalidOptionException)
EXCEPTION_CONSTRUCTOR(ClosedException)

/* Objects that only the extension makes: the constructor is private and does nothing. */
#define NO_CONSTRUCTOR(name) ZEND_METHOD(Mqtt_##name, __construct) { ZEND_PARSE_PARAMETERS_NONE(); }

NO_CONSTRUCTOR(Delivery)
NO_CONSTRUCTOR(Batch)
NO_CONSTRUCTOR(Subscription)
NO_CONSTRUCTOR(MessageIterator)
NO_CONSTRUCTOR(Connack)
NO_CONSTRUCTOR(Status)
NO_CONSTRUCTOR(BatchResult)

#define VALUE_CONSTRUCTOR(name, number) \
	ZEND_METHOD(Mqtt_##name, __construct) { (void) return_value; mqtt_construct(execute_data, number); }

VALUE_CONSTRUCTOR(Message, MQTT_MESSAGE)
VALUE_CONSTRUCTOR(Options, MQTT_OPTIONS)
VALUE_CONSTRUCTOR(Tls, MQTT_TLS)
VALUE_CONSTRUCTOR(Properties, MQTT_PROPERTIES)
VALUE_CONSTRUCTOR(Will, MQTT_WILL)
VALUE_CONSTRUCTOR(Outgoing, MQTT_OUTGOING)
VALUE_CONSTRUCTOR(FlushResult, MQTT_FLUSH_RESULT)

static void register_exceptions(void)
{
	zend_class_entry **ce = mqtt_class_entries;
	zend_class_entry *marker = register_class_Mqtt_Exception_MqttException(zend_ce_throwable);

	ce[MQTT_CONNECTION_EXCEPTION] = register_class_Mqtt_Exception_ConnectionException(spl_ce_RuntimeException, marker);
	ce[MQTT_AUTH_EXCEPTION] = register_class_Mqtt_Exception_AuthException(ce[MQTT_CONNECTION_EXCEPTION]);
	ce[MQTT_PROTOCOL_EXCEPTION] = register_class_Mqtt_Exception_ProtocolException(ce[MQTT_CONNECTION_EXCEPTION]);
	ce[MQTT_PUBLISH_EXCEPTION] = register_class_Mqtt_Exception_PublishException(spl_ce_RuntimeException, marker);
	ce[MQTT_SUBSCRIBE_EXCEPTION] = register_class_Mqtt_Exception_SubscribeException(spl_ce_RuntimeException, marker);
	ce[MQTT_TIMEOUT_EXCEPTION] = register_class_Mqtt_Exception_TimeoutException(spl_ce_RuntimeException, marker);
	ce[MQTT_QUEUE_FULL_EXCEPTION] = register_class_Mqtt_Exception_QueueFullException(spl_ce_RuntimeException, marker);
	ce[MQTT_INVALID_TOPIC_EXCEPTION] =
		register_class_Mqtt_Exception_InvalidTopicException(spl_ce_InvalidArgumentException, marker);
	ce[MQTT_INVALID_OPTION_EXCEPTION] =
		register_class_Mqtt_Exception_InvalidOptionException(spl_ce_InvalidArgumentException, marker);
	ce[MQTT_CLOSED_EXCEPTION] = register_class_Mqtt_Exception_ClosedException(spl_ce_LogicException, marker);
	for (int i = MQTT_CONNECTION_EXCEPTION; i < MQTT_CLASSES; i++) {
		ce[i]->create_object = mqtt_create_exception;
	}
}

static void register_native_classes(void)
{
	zend_class_entry **ce = mqtt_class_entries;

	ce[MQTT_CLIENT] =
		register_class_Mqtt_Client(register_class_Mqtt_Publisher(), register_class_Mqtt_Subscriber());
	ce[MQTT_DELIVERY] = register_class_Mqtt_Delivery();
	ce[MQTT_BATCH] = register_class_Mqtt_Batch(zend_ce_countable, zend_ce_aggregate);
	ce[MQTT_SUBSCRIPTION] = register_class_Mqtt_Subscription();
	ce[MQTT_MESSAGE_ITERATOR] = register_class_Mqtt_MessageIterator(zend_ce_iterator);
	ce[MQTT_MESSAGE] = register_class_Mqtt_Message(zend_ce_stringable);
	for (int i = MQTT_CLIENT; i <= MQTT_MESSAGE; i++) {
		ce[i]->create_object = create_native;
		memcpy(&native_handlers[i], zend_get_std_object_handlers(), sizeof(zend_object_handlers));
		native_handlers[i].offset = XtOffsetOf(mqtt_object, std);
		native_handlers[i].free_obj = free_native;
		native_handlers[i].clone_obj = NULL;
	}
}

static void register_values(void)
{
	zend_class_entry **ce = mqtt_class_entries;

	ce[MQTT_OPTIONS] = register_class_Mqtt_Options();
	ce[MQTT_OPTIONS]->create_object = create_secretive;
	ce[MQTT_TLS] = register_class_Mqtt_Tls();
	ce[MQTT_TLS]->create_object = create_secretive;
	memcpy(&secretive_handlers, zend_get_std_object_handlers(), sizeof(zend_object_handlers));
	secretive_handlers.offset = XtOffsetOf(mqtt_secretive, std);
	secretive_handlers.free_obj = free_secretive;
	secretive_handlers.clone_obj = clone_secretive;
	secretive_handlers.compare = compare_secretive;
	secretive_handlers.get_gc = cycles_of_secretive;
	secretive_handlers.get_properties_for = without_secrets;
	ce[MQTT_PROPERTIES] = register_class_Mqtt_Properties();
	ce[MQTT_WILL] = register_class_Mqtt_Will();
	ce[MQTT_OUTGOING] = register_class_Mqtt_Outgoing();
	ce[MQTT_CONNACK] = register_class_Mqtt_Connack();
	ce[MQTT_STATUS] = register_class_Mqtt_Status();
	ce[MQTT_FLUSH_RESULT] = register_class_Mqtt_FlushResult();
	ce[MQTT_BATCH_RESULT] = register_class_Mqtt_BatchResult();
}

void mqtt_register_classes(void)
{
	zend_class_entry **ce = mqtt_class_entries;

	ce[MQTT_QOS] = register_class_Mqtt_Qos();
	ce[MQTT_PROTOCOL] = register_class_Mqtt_Protocol();
	ce[MQTT_TRANSPORT] = register_class_Mqtt_Transport();
	ce[MQTT_TLS_VERSION] = register_class_Mqtt_TlsVersion();
	ce[MQTT_STATE] = register_class_Mqtt_State();
	ce[MQTT_DELIVERY_STATE] = register_class_Mqtt_DeliveryState();
	ce[MQTT_ACK_MODE] = register_class_Mqtt_AckMode();
	ce[MQTT_OVERFLOW] = register_class_Mqtt_Overflow();
	ce[MQTT_RETAIN_HANDLING] = register_class_Mqtt_RetainHandling();
	register_native_classes();
	register_values();
	register_exceptions();
}
