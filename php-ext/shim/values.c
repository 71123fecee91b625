/* Objects that are nothing but readonly properties: filled from the arguments of their constructor, in order. */

#include "shim.h"
#include "zend_exceptions.h"

/* Checks the value against the type of the property, converts it as PHP would, and puts it there. Takes the value. */
static bool fill_property(zend_object *object, zend_property_info *info, zval *value, bool strict)
{
	zval *slot = mqtt_place(object, info);

	if (!Z_ISUNDEF_P(slot)) {
		zval_ptr_dtor(value);
		zend_readonly_property_modification_error(info);
		return false;
	}
	if (!zend_verify_property_type(info, value, strict)) {
		zval_ptr_dtor(value);
		return false;
	}
	ZVAL_COPY_VALUE(slot, value);
	Z_PROP_FLAG_P(slot) = 0;
	return true;
}

/* Parameters and properties of these classes have the same names in the same order. */
void mqtt_construct(zend_execute_data *execute_data, int class_number)
{
	zend_object *object = Z_OBJ_P(ZEND_THIS);
	zend_function *function = EX(func);
	uint32_t given = ZEND_NUM_ARGS(), most = function->common.num_args;

	if (given < function->common.required_num_args || given > most) {
		zend_wrong_parameters_count_error(function->common.required_num_args, most);
		return;
	}
	for (uint32_t i = 0; i < most; i++) {
		zend_internal_arg_info *parameter = &function->internal_function.arg_info[i];
		zend_property_info *info =
			zend_hash_str_find_ptr(&object->ce->properties_info, parameter->name, strlen(parameter->name));
		zval value;

		ZEND_ASSERT(info);
		if (i < given) {
			ZVAL_COPY_DEREF(&value, ZEND_CALL_ARG(execute_data, i + 1));
		} else if (zend_get_default_from_internal_arg_info(&value, parameter) == FAILURE
				|| (Z_TYPE(value) == IS_CONSTANT_AST && zval_update_constant_ex(&value, object->ce) == FAILURE)) {
			return;
		}
		if (!fill_property(object, info, &value, i < given && ZEND_ARG_USES_STRICT_TYPES())) {
			return;
		}
	}
	mqtt_check_value(class_number, object);
}

/* Fills every property of a new object: from `named` where it has one, else from `base`. Unknown names throw. */
bool mqtt_fill(zend_object *object, HashTable *named, zend_object *base, bool strict)
{
	zend_string *name;
	zval *value;

	if (named) {
		ZEND_HASH_FOREACH_STR_KEY(named, name) {
			if (!name || !zend_hash_exists(&object->ce->properties_info, name)) {
				zend_string *message = zend_strpprintf(0, "there is no option \"%s\"", name ? ZSTR_VAL(name) : "0");
				mqtt_throw(MQTT_INVALID_OPTION_EXCEPTION, message, -1);
				zend_string_release(message);
				return false;
			}
		} ZEND_HASH_FOREACH_END();
	}
	for (int i = 0; i < object->ce->default_properties_count; i++) {
		zend_property_info *info = object->ce->properties_info_table[i];
		const char *class_name, *plain_name;
		size_t length;
		zval copy;
		bool changed;

		zend_unmangle_property_name_ex(info->name, &class_name, &plain_name, &length);
		value = named ? zend_hash_str_find(named, plain_name, length) : NULL;
		changed = value != NULL;
		if (!value) {
			value = mqtt_place(base, info);
		}
		ZVAL_COPY_DEREF(&copy, value);
		if (!fill_property(object, info, &copy, changed && strict)) {
			return false;
		}
	}
	return true;
}
