//! How PHP enters Rust: the C entry points of the methods, and their arguments by PHP's own rules.

use std::ffi::{CStr, c_int};
use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;

use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::{ExecuteData, run_handler};

use crate::exception::{Failure, Thrown};
use crate::shim::{Class, Native, Object, arguments as c};

/// What a method gives back to PHP.
pub(crate) type Answer = Result<Zval, Thrown>;

/// Exports methods under the names that `shim/mqtt_arginfo.h` expects, with the least and most arguments each takes.
macro_rules! methods {
    ($($symbol:literal $least:literal..=$most:literal => $body:path;)*) => {$(
        const _: () = {
            #[unsafe(export_name = $symbol)]
            extern "C" fn entry(frame: *mut ::ext_php_rs::zend::ExecuteData, result: *mut ::ext_php_rs::types::Zval) {
                // SAFETY: the engine calls a method with its own live frame and a place for the result.
                unsafe { $crate::method::enter(frame, result, $least, $most, $body) }
            }
        };
    )*};
}
pub(crate) use methods;

/// Runs a method: no panic gets out, and an error becomes an exception.
///
/// # Safety
/// `frame` and `result` must be the ones the engine called the method with.
pub(crate) unsafe fn enter(
    frame: *mut ExecuteData,
    result: *mut Zval,
    least: u32,
    most: u32,
    body: fn(&Call<'_>) -> Answer,
) {
    let Some(frame) = NonNull::new(frame) else {
        return;
    };
    run_handler(AssertUnwindSafe(|| {
        // SAFETY: the frame is live for the whole call.
        if !unsafe { c::mqtt_argument_count(frame.as_ptr(), least, most) } {
            return;
        }
        match body(&Call {
            frame,
            life: std::marker::PhantomData,
        }) {
            // SAFETY: the engine has set the place to null, so there is nothing to drop.
            Ok(value) => unsafe { result.write(value) },
            Err(Thrown::Pending) => {}
            Err(Thrown::Failure(failure)) => failure.throw(),
        }
    }));
}

/// One call of a method. Arguments count from 1.
///
/// The methods named after a type apply PHP's rules for it (weak or strict, as the caller's file says) and, on an error,
/// leave PHP's own TypeError pending.
pub(crate) struct Call<'a> {
    frame: NonNull<ExecuteData>,
    life: std::marker::PhantomData<&'a ExecuteData>,
}

impl<'a> Call<'a> {
    /// `$this`.
    pub(crate) fn this(&self) -> Result<Object<'a>, Thrown> {
        // SAFETY: the frame is live, and holds a reference to the object as long.
        let object = unsafe {
            NonNull::new(c::mqtt_this(self.frame.as_ptr())).map(|this| Object::from_raw(this))
        };
        object.ok_or_else(|| Failure::closed("called without an object").into())
    }

    /// The Rust value behind `$this`.
    pub(crate) fn native<T: Native>(&self) -> Result<&'a T, Thrown> {
        // Without one: made by Reflection, or its constructor threw.
        self.this()?
            .native()
            .ok_or_else(|| Failure::closed("the object was never constructed").into())
    }

    /// The argument, unless it was left out.
    pub(crate) fn argument(&self, number: u32) -> Option<&'a mut Zval> {
        // SAFETY: the frame is live and owns its arguments; each is looked at once.
        unsafe { c::mqtt_argument(self.frame.as_ptr(), number).as_mut() }
    }

    /// The argument, unless it was left out or is null.
    pub(crate) fn nullable(&self, number: u32) -> Option<&'a mut Zval> {
        self.argument(number).filter(|value| !value.is_null())
    }

    /// A required argument. The count was checked on entry.
    pub(crate) fn required(&self, number: u32) -> Result<&'a mut Zval, Thrown> {
        self.argument(number).ok_or(Thrown::Pending)
    }

    pub(crate) fn string(&self, number: u32) -> Result<&'a [u8], Thrown> {
        string(self.required(number)?, number, false)
    }

    /// A string, or null.
    pub(crate) fn nullable_string(&self, number: u32) -> Result<Option<&'a [u8]>, Thrown> {
        self.nullable(number)
            .map(|value| string(value, number, true))
            .transpose()
    }

    pub(crate) fn string_or(
        &self,
        number: u32,
        default: &'static [u8],
    ) -> Result<&'a [u8], Thrown> {
        self.argument(number)
            .map_or(Ok(default), |value| string(value, number, false))
    }

    pub(crate) fn nullable_int(&self, number: u32) -> Result<Option<i64>, Thrown> {
        let Some(value) = self.nullable(number) else {
            return Ok(None);
        };
        int_of(value, number, true).map(Some)
    }

    pub(crate) fn int_or(&self, number: u32, default: i64) -> Result<i64, Thrown> {
        let Some(value) = self.argument(number) else {
            return Ok(default);
        };
        int_of(value, number, false)
    }

    pub(crate) fn nullable_float(&self, number: u32) -> Result<Option<f64>, Thrown> {
        let Some(value) = self.nullable(number) else {
            return Ok(None);
        };
        self.float_of(value, number, true).map(Some)
    }

    pub(crate) fn float_or(&self, number: u32, default: f64) -> Result<f64, Thrown> {
        let Some(value) = self.argument(number) else {
            return Ok(default);
        };
        self.float_of(value, number, false)
    }

    pub(crate) fn bool_or(&self, number: u32, default: bool) -> Result<bool, Thrown> {
        let Some(value) = self.argument(number) else {
            return Ok(default);
        };
        let mut result = false;
        // SAFETY: both places are valid.
        let fits = unsafe { c::mqtt_bool_argument(value, number, &raw mut result) };
        if fits {
            Ok(result)
        } else {
            Err(Thrown::Pending)
        }
    }

    /// An object of a class, or null.
    pub(crate) fn nullable_object(
        &self,
        number: u32,
        class: Class,
    ) -> Result<Option<Object<'a>>, Thrown> {
        let Some(value) = self.nullable(number) else {
            return Ok(None);
        };
        // SAFETY: the value is alive.
        let object = unsafe { c::mqtt_object_argument(value, number, class as c_int) };
        // SAFETY: the frame holds the argument, and so the object.
        NonNull::new(object)
            .map(|object| Some(unsafe { Object::from_raw(object) }))
            .ok_or(Thrown::Pending)
    }

    /// A callable, or null.
    pub(crate) fn nullable_callable(&self, number: u32) -> Result<Option<&'a mut Zval>, Thrown> {
        let Some(value) = self.nullable(number) else {
            return Ok(None);
        };
        // SAFETY: the value is alive.
        let callable = unsafe { c::mqtt_callable_argument(value, number) };
        if callable {
            Ok(Some(value))
        } else {
            Err(Thrown::Pending)
        }
    }

    /// An array or Traversable.
    pub(crate) fn iterable(&self, number: u32) -> Result<&'a mut Zval, Thrown> {
        let value = self.required(number)?;
        // SAFETY: the value is alive.
        let iterable = unsafe { c::mqtt_iterable_argument(value, number) };
        if iterable {
            Ok(value)
        } else {
            Err(Thrown::Pending)
        }
    }

    /// Takes the named arguments that a variadic parameter collected: an array, or null. No stack trace shows them any more.
    pub(crate) fn take_named(&self) -> Zval {
        let mut named = Zval::new();
        // SAFETY: the frame is live, and there is nothing to drop in the place for the result.
        unsafe { c::mqtt_take_named_arguments(self.frame.as_ptr(), &raw mut named) };
        named
    }

    /// Whether the calling file declares strict types.
    pub(crate) fn is_strict(&self) -> bool {
        // SAFETY: the frame is live.
        unsafe { c::mqtt_strict_caller(self.frame.as_ptr()) }
    }

    /// A TypeError: "Argument #n ($name) must be {expected}, x given".
    pub(crate) fn wrong_type(&self, number: u32, expected: &CStr) -> Thrown {
        if let Some(value) = self.argument(number) {
            // SAFETY: the value is alive; the text is copied.
            unsafe { c::mqtt_argument_type(number, expected.as_ptr(), value) };
        }
        Thrown::Pending
    }

    /// A timeout in seconds, as a positive, finite number.
    pub(crate) fn timeout_or(
        &self,
        number: u32,
        default: f64,
    ) -> Result<std::time::Duration, Thrown> {
        let seconds = self.float_or(number, default)?;
        self.duration(number, seconds)
    }

    /// A timeout in seconds, or null for none.
    pub(crate) fn nullable_timeout(
        &self,
        number: u32,
    ) -> Result<Option<std::time::Duration>, Thrown> {
        self.nullable_float(number)?
            .map(|seconds| self.duration(number, seconds))
            .transpose()
    }

    /// A count that is not negative, or null for none.
    pub(crate) fn nullable_limit(&self, number: u32) -> Result<Option<u64>, Thrown> {
        let Some(limit) = self.nullable_int(number)? else {
            return Ok(None);
        };
        u64::try_from(limit)
            .map(Some)
            .map_err(|_| self.wrong_value(number, c"must not be negative"))
    }

    /// A ValueError: "Argument #n ($name) {complaint}".
    pub(crate) fn wrong_value(&self, number: u32, complaint: &CStr) -> Thrown {
        // SAFETY: the text is copied.
        unsafe { c::mqtt_argument_value(number, complaint.as_ptr()) };
        Thrown::Pending
    }

    fn duration(&self, number: u32, seconds: f64) -> Result<std::time::Duration, Thrown> {
        // A year is as good as for ever, and leaves room to add it to any clock.
        const LONGEST: f64 = 366.0 * 86_400.0;
        if seconds.is_nan() || seconds < 0.0 {
            return Err(self.wrong_value(number, c"must be zero or more seconds"));
        }
        Ok(std::time::Duration::from_secs_f64(seconds.min(LONGEST)))
    }

    fn float_of(&self, value: &mut Zval, number: u32, nullable: bool) -> Result<f64, Thrown> {
        let mut result = 0.0;
        // SAFETY: both places are valid.
        let fits = unsafe { c::mqtt_float_argument(value, number, nullable, &raw mut result) };
        if fits {
            Ok(result)
        } else {
            Err(Thrown::Pending)
        }
    }
}

fn int_of(value: &mut Zval, number: u32, nullable: bool) -> Result<i64, Thrown> {
    let mut result = 0;
    // SAFETY: both places are valid.
    let fits = unsafe { c::mqtt_int_argument(value, number, nullable, &raw mut result) };
    if fits {
        Ok(result)
    } else {
        Err(Thrown::Pending)
    }
}

/// Converts in place, as PHP does for a parameter of type string, and borrows the bytes.
fn string(value: &mut Zval, number: u32, nullable: bool) -> Result<&[u8], Thrown> {
    // SAFETY: the value is alive and holds the string afterwards.
    let text: *mut ZendStr = unsafe { c::mqtt_string_argument(value, number, nullable) };
    // SAFETY: null or a string that the argument keeps alive.
    unsafe { text.as_ref() }
        .map(ZendStr::as_bytes)
        .ok_or(Thrown::Pending)
}
