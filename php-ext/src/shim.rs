//! The C shim seen from Rust: the only place that calls it.
//!
//! `shim/shim.h` says what each function does and who owns what. Here they get Rust types: an [`Object`] is a PHP object
//! borrowed for the length of a method call, and a [`Class`] is one of the classes of the stub.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use ext_php_rs::types::{ZendHashTable, ZendObject, ZendStr, Zval};
use ext_php_rs::zend::{ExecuteData, ModuleEntry};

/// The classes by number, in the order of `enum mqtt_class` of the shim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i32)]
pub(crate) enum Class {
    Qos,
    Protocol,
    Transport,
    TlsVersion,
    State,
    DeliveryState,
    AckMode,
    Overflow,
    RetainHandling,
    Client,
    Delivery,
    Batch,
    Subscription,
    MessageIterator,
    Message,
    Options,
    Tls,
    Properties,
    Will,
    Outgoing,
    Connack,
    Status,
    FlushResult,
    BatchResult,
    ConnectionException,
    AuthException,
    ProtocolException,
    PublishException,
    SubscribeException,
    TimeoutException,
    QueueFullException,
    InvalidTopicException,
    InvalidOptionException,
    ClosedException,
}

/// What [`iterate`] calls for each element.
pub(crate) type EachElement =
    unsafe extern "C" fn(context: *mut c_void, key: *mut Zval, value: *mut Zval) -> bool;

unsafe extern "C" {
    fn mqtt_register_classes();
    fn mqtt_native(object: *mut ZendObject) -> *mut c_void;
    fn mqtt_set_native(object: *mut ZendObject, native: *mut c_void);
    fn mqtt_new(class: c_int, result: *mut Zval);
    fn mqtt_construct_default(class: c_int, result: *mut Zval) -> bool;
    fn mqtt_instance_of(object: *const ZendObject, class: c_int) -> bool;
    fn mqtt_has_method(object: *const ZendObject, name: *const u8, length: usize) -> bool;
    fn mqtt_init_property(
        object: *mut ZendObject,
        name: *const u8,
        length: usize,
        takes_value: *mut Zval,
    );
    fn mqtt_property(object: *mut ZendObject, name: *const u8, length: usize) -> *mut Zval;
    fn mqtt_enum_case(class: c_int, name: *const c_char, result: *mut Zval);
    fn mqtt_enum_value(object: *mut ZendObject) -> *mut Zval;
    fn mqtt_throw(class: c_int, message: *mut ZendStr, reason_code: c_int);
    fn mqtt_fill(
        object: *mut ZendObject,
        named: *mut ZendHashTable,
        base: *mut ZendObject,
        strict: bool,
    ) -> bool;
    fn mqtt_to_string(value: *mut Zval, result: *mut Zval) -> bool;
    fn mqtt_call(callable: *mut Zval, count: u32, arguments: *mut Zval) -> bool;
    fn mqtt_iterate(iterable: *mut Zval, each: EachElement, context: *mut c_void) -> bool;
    fn mqtt_array_iterator(takes_array: *mut Zval, result: *mut Zval);
    fn mqtt_may_open(path: *const c_char) -> bool;
    fn mqtt_absolute_path(path: *const c_char, result: *mut Zval) -> bool;
    fn mqtt_stream_open(takes_source: *mut c_void, result: *mut Zval);
    fn mqtt_exception_pending() -> bool;
    fn mqtt_type_error(message: *const c_char);
    fn mqtt_error(message: *const c_char);
    fn mqtt_stack() -> *const c_void;
    fn mqtt_run_interrupt() -> bool;
    fn mqtt_preloading() -> bool;
    fn mqtt_handler_set(client: *mut ZendObject, number: u64, callable: *mut Zval);
    fn mqtt_handler_get(client: *mut ZendObject, number: u64, result: *mut Zval) -> bool;
    fn mqtt_handler_delete(client: *mut ZendObject, number: u64);
    fn mqtt_handlers_clear(client: *mut ZendObject);
    fn mqtt_register_ini(kind: c_int, module_number: c_int);
    fn mqtt_unregister_ini(kind: c_int, module_number: c_int);
    fn mqtt_display_ini(module: *mut ModuleEntry);
    fn mqtt_ini_int(name: *const u8, length: usize) -> i64;
    fn mqtt_ini_float(name: *const u8, length: usize) -> f64;
    fn mqtt_ini_string(name: *const u8, length: usize) -> *mut ZendStr;
}

/// The shim's functions on the arguments of a method, for [`crate::method`].
pub(crate) mod arguments {
    use super::{ExecuteData, ZendObject, ZendStr, Zval, c_char, c_int};

    unsafe extern "C" {
        pub(crate) fn mqtt_argument_count(frame: *mut ExecuteData, least: u32, most: u32) -> bool;
        pub(crate) fn mqtt_this(frame: *mut ExecuteData) -> *mut ZendObject;
        pub(crate) fn mqtt_take_named_arguments(frame: *mut ExecuteData, result: *mut Zval);
        pub(crate) fn mqtt_argument(frame: *mut ExecuteData, number: u32) -> *mut Zval;
        pub(crate) fn mqtt_string_argument(
            argument: *mut Zval,
            number: u32,
            nullable: bool,
        ) -> *mut ZendStr;
        pub(crate) fn mqtt_int_argument(
            argument: *mut Zval,
            number: u32,
            nullable: bool,
            result: *mut i64,
        ) -> bool;
        pub(crate) fn mqtt_float_argument(
            argument: *mut Zval,
            number: u32,
            nullable: bool,
            result: *mut f64,
        ) -> bool;
        pub(crate) fn mqtt_bool_argument(
            argument: *mut Zval,
            number: u32,
            result: *mut bool,
        ) -> bool;
        pub(crate) fn mqtt_object_argument(
            argument: *mut Zval,
            number: u32,
            class: c_int,
        ) -> *mut ZendObject;
        pub(crate) fn mqtt_callable_argument(argument: *mut Zval, number: u32) -> bool;
        pub(crate) fn mqtt_iterable_argument(argument: *mut Zval, number: u32) -> bool;
        pub(crate) fn mqtt_argument_type(number: u32, expected: *const c_char, argument: *mut Zval);
        pub(crate) fn mqtt_argument_value(number: u32, complaint: *const c_char);
        pub(crate) fn mqtt_strict_caller(frame: *mut ExecuteData) -> bool;
    }
}

/// A Rust value that lives behind a PHP object of one class.
pub(crate) trait Native: Sized + 'static {
    /// The class of the object.
    const CLASS: Class;
}

/// A PHP object of this extension, alive for `'a`: the engine holds a reference to `$this` and to every argument while
/// a method runs, and `'a` never outlives that.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pointer: NonNull<ZendObject>,
    life: PhantomData<&'a ZendObject>,
}

impl<'a> Object<'a> {
    /// # Safety
    /// The object must stay alive for `'a`.
    pub(crate) unsafe fn from_raw(pointer: NonNull<ZendObject>) -> Self {
        Self {
            pointer,
            life: PhantomData,
        }
    }

    /// The object in a value, borrowed from it.
    pub(crate) fn of(value: &'a Zval) -> Option<Self> {
        value.object().map(|object| Self {
            pointer: NonNull::from(object),
            life: PhantomData,
        })
    }

    /// The object in a value, if it is of that class. PHP has ways around the type of a property (`ArrayObject`).
    pub(crate) fn of_class(value: &'a Zval, class: Class) -> Option<Self> {
        Self::of(value).filter(|object| object.is(class))
    }

    /// Makes a new reference to the object.
    pub(crate) fn to_zval(self) -> Zval {
        // SAFETY: the object is alive, and the engine runs on this thread alone: nobody else looks at it now.
        let object = unsafe { &mut *self.pointer.as_ptr() };
        let mut value = Zval::new();
        value.set_object(object);
        value
    }

    pub(crate) fn is(self, class: Class) -> bool {
        // SAFETY: the object is alive.
        unsafe { mqtt_instance_of(self.pointer.as_ptr(), class as c_int) }
    }

    /// Whether the class of the object has a method of this name, which is in lower case.
    pub(crate) fn has_method(self, name: &str) -> bool {
        // SAFETY: the object is alive.
        unsafe { mqtt_has_method(self.pointer.as_ptr(), name.as_ptr(), name.len()) }
    }

    /// The object itself, for whoever keeps no reference and knows when it goes.
    pub(crate) fn as_raw(self) -> NonNull<ZendObject> {
        self.pointer
    }

    /// The Rust value behind the object; `None` if it has none (yet). Values are never replaced while the object lives.
    pub(crate) fn native<T: Native>(self) -> Option<&'a T> {
        if !self.is(T::CLASS) {
            return None;
        }
        // SAFETY: the class says that the object has a native slot, and that it holds a `T` made by `set_native`, which
        // lives as long as the object.
        unsafe { mqtt_native(self.pointer.as_ptr()).cast::<T>().as_ref() }
    }

    /// Gives the object its Rust value. Returns false, and drops the value, if it has one already.
    pub(crate) fn set_native<T: Native>(self, value: T) -> bool {
        debug_assert!(self.is(T::CLASS));
        // SAFETY: the object is alive and of the class with this native type.
        unsafe {
            if !mqtt_native(self.pointer.as_ptr()).is_null() {
                return false;
            }
            mqtt_set_native(self.pointer.as_ptr(), Box::into_raw(Box::new(value)).cast());
        }
        true
    }

    /// The value of a declared property, by the name in the stub.
    pub(crate) fn property(self, name: &str) -> &'a Zval {
        // SAFETY: the object is alive, the class declares the property, and the slot lives as long as the object.
        let value = unsafe { &*mqtt_property(self.pointer.as_ptr(), name.as_ptr(), name.len()) };
        value.dereference()
    }

    /// Puts a value of the declared type into a declared property.
    pub(crate) fn init(self, name: &str, value: Zval) -> Self {
        let mut value = ManuallyDrop::new(value);
        // SAFETY: as for `property`; the shim takes the value over, so it is not dropped here.
        unsafe {
            mqtt_init_property(
                self.pointer.as_ptr(),
                name.as_ptr(),
                name.len(),
                &raw mut *value,
            )
        };
        self
    }

    /// The value behind a case of a backed enum.
    pub(crate) fn enum_value(self) -> &'a Zval {
        // SAFETY: callers have checked that the object is a case of one of our enums, all of which are backed.
        unsafe { &*mqtt_enum_value(self.pointer.as_ptr()) }
    }

    /// Fills all properties of this new object: those named from `named`, the others from `base`. On false an exception
    /// is pending.
    pub(crate) fn fill(
        self,
        named: Option<NonNull<ZendHashTable>>,
        base: Object<'_>,
        strict: bool,
    ) -> bool {
        let named = named.map_or(std::ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: both objects are alive and of one class; the table is alive.
        unsafe { mqtt_fill(self.pointer.as_ptr(), named, base.pointer.as_ptr(), strict) }
    }

    /// Keeps a handler in the client object, where the garbage collector sees it.
    pub(crate) fn set_handler(self, number: u64, callable: &mut Zval) {
        // SAFETY: callers pass a client object; the shim adds a reference of its own.
        unsafe { mqtt_handler_set(self.pointer.as_ptr(), number, callable) }
    }

    /// A new reference to the handler with this number.
    pub(crate) fn handler(self, number: u64) -> Option<Zval> {
        let mut found = Zval::new();
        // SAFETY: callers pass a client object; `found` is a valid place for the result.
        unsafe { mqtt_handler_get(self.pointer.as_ptr(), number, &raw mut found) }.then_some(found)
    }

    pub(crate) fn delete_handler(self, number: u64) {
        // SAFETY: callers pass a client object.
        unsafe { mqtt_handler_delete(self.pointer.as_ptr(), number) }
    }

    pub(crate) fn clear_handlers(self) {
        // SAFETY: callers pass a client object.
        unsafe { mqtt_handlers_clear(self.pointer.as_ptr()) }
    }
}

/// Registers every class of the stub. Once per start of the module.
pub(crate) fn register_classes() {
    // SAFETY: called from the module's startup function only, where the engine allows it.
    unsafe { mqtt_register_classes() }
}

pub(crate) fn register_ini(kind: c_int, module_number: c_int) {
    // SAFETY: called from the module's startup function only.
    unsafe { mqtt_register_ini(kind, module_number) }
}

pub(crate) fn unregister_ini(kind: c_int, module_number: c_int) {
    // SAFETY: called from the module's shutdown function only.
    unsafe { mqtt_unregister_ini(kind, module_number) }
}

pub(crate) fn display_ini(module: *mut ModuleEntry) {
    // SAFETY: `module` is the engine's own entry of this module.
    unsafe { mqtt_display_ini(module) }
}

/// Whether the code that runs is that of `opcache.preload`.
pub(crate) fn is_preloading() -> bool {
    // SAFETY: only reads a global of the engine's.
    unsafe { mqtt_preloading() }
}

pub(crate) fn ini_int(name: &str) -> i64 {
    // SAFETY: the name is copied by the engine.
    unsafe { mqtt_ini_int(name.as_ptr(), name.len()) }
}

pub(crate) fn ini_float(name: &str) -> f64 {
    // SAFETY: the name is copied by the engine.
    unsafe { mqtt_ini_float(name.as_ptr(), name.len()) }
}

/// A setting as text; `None` where it is empty.
pub(crate) fn ini_string(name: &str) -> Option<String> {
    // SAFETY: the string belongs to the setting and is copied before anything else can run.
    unsafe { mqtt_ini_string(name.as_ptr(), name.len()).as_ref() }
        .map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned())
}

/// A new object of a class, without its constructor having run.
pub(crate) fn new_object(class: Class) -> Zval {
    let mut value = Zval::new();
    // SAFETY: `value` is a valid place for the result.
    unsafe { mqtt_new(class as c_int, &raw mut value) };
    value
}

/// A new object whose constructor ran without arguments; `None` if an exception is pending.
pub(crate) fn construct(class: Class) -> Option<Zval> {
    let mut value = Zval::new();
    // SAFETY: `value` is a valid place for the result.
    unsafe { mqtt_construct_default(class as c_int, &raw mut value) }.then_some(value)
}

/// A case of one of our enums.
pub(crate) fn enum_case(class: Class, name: &CStr) -> Zval {
    let mut value = Zval::new();
    // SAFETY: the enum has a case of this name (callers use literals), and `value` is a valid place for the result.
    unsafe { mqtt_enum_case(class as c_int, name.as_ptr(), &raw mut value) };
    value
}

/// Throws, unless an exception is pending: that one is the cause and stays.
pub(crate) fn throw(class: Class, message: &str, reason_code: Option<u8>) {
    if exception_pending() {
        return;
    }
    // A NUL would end the text.
    let mut text = ZendStr::new(message.replace('\0', "\\0"), false);
    // SAFETY: the shim copies the text.
    unsafe {
        mqtt_throw(
            class as c_int,
            text.as_mut_ptr(),
            reason_code.map_or(-1, c_int::from),
        )
    };
}

/// Throws PHP's TypeError, unless an exception is pending.
pub(crate) fn type_error(message: &CStr) {
    if !exception_pending() {
        // SAFETY: the engine copies the text.
        unsafe { mqtt_type_error(message.as_ptr()) };
    }
}

/// Throws PHP's Error, unless an exception is pending.
pub(crate) fn error(message: &CStr) {
    if !exception_pending() {
        // SAFETY: the engine copies the text.
        unsafe { mqtt_error(message.as_ptr()) };
    }
}

/// One C stack of this thread: the main one, or a fiber's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Stack(*const c_void);

/// The stack that this code runs on.
pub(crate) fn stack() -> Stack {
    // SAFETY: only reads the executor's state.
    Stack(unsafe { mqtt_stack() })
}

pub(crate) fn exception_pending() -> bool {
    // SAFETY: only reads the executor's state.
    unsafe { mqtt_exception_pending() }
}

/// The value as a PHP string. `None`: it cannot be converted, or an exception is pending. Control may leave through here
/// for good, as in [`call`].
pub(crate) fn to_string(value: &mut Zval) -> Option<Zval> {
    let mut text = Zval::new();
    // SAFETY: the value is alive, and `text` is a valid place for the result.
    unsafe { mqtt_to_string(value, &raw mut text) }.then_some(text)
}

/// Calls a PHP callable and drops what it returns. On false an exception is pending, `exit()` being one of its kind.
///
/// Control may leave through here for good (a fatal error): the caller holds nothing that must be dropped.
pub(crate) fn call(callable: &mut Zval, arguments: &mut [Zval]) -> bool {
    let count = u32::try_from(arguments.len()).unwrap_or(0);
    // SAFETY: all values are alive; the shim borrows them.
    unsafe { mqtt_call(callable, count, arguments.as_mut_ptr()) }
}

/// Walks an array or Traversable. On false an exception is pending. Control may leave for good, as in [`call`].
///
/// # Safety
/// `context` must be what `each` expects.
pub(crate) unsafe fn iterate(iterable: &mut Zval, each: EachElement, context: *mut c_void) -> bool {
    // SAFETY: the value is alive; the rest is the caller's promise.
    unsafe { mqtt_iterate(iterable, each, context) }
}

/// An `ArrayIterator` over an array.
pub(crate) fn array_iterator(array: Zval) -> Zval {
    let mut array = ManuallyDrop::new(array);
    let mut result = Zval::new();
    // SAFETY: the shim takes the array over and fills the result.
    unsafe { mqtt_array_iterator(&raw mut *array, &raw mut result) };
    result
}

/// Whether `open_basedir` lets scripts open this file.
pub(crate) fn may_open(path: &CStr) -> bool {
    // SAFETY: the engine copies the path.
    unsafe { mqtt_may_open(path.as_ptr()) }
}

/// The path as seen from PHP's working directory; `None` if it is too long, or then not UTF-8.
pub(crate) fn absolute_path(path: &CStr) -> Option<String> {
    let mut result = Zval::new();
    // SAFETY: the engine copies the path, and `result` is a valid place for the string.
    let made = unsafe { mqtt_absolute_path(path.as_ptr(), &raw mut result) };
    let text = result.zend_str().filter(|_| made)?;
    String::from_utf8(text.as_bytes().to_vec()).ok()
}

/// A PHP stream over `source`, which comes back in `mqtt_stream_descriptor` and, at its end, in `mqtt_stream_free`.
pub(crate) fn open_stream(source: *mut c_void) -> Zval {
    let mut result = Zval::new();
    // SAFETY: the shim takes the source over, and `result` is a valid place for the stream.
    unsafe { mqtt_stream_open(source, &raw mut result) };
    result
}

/// Lets PHP signal handlers and the time limit act, if they asked for it; returns whether they did. Control may leave
/// for good.
pub(crate) fn run_interrupt() -> bool {
    // SAFETY: called on the PHP thread, inside a method.
    unsafe { mqtt_run_interrupt() }
}
