//! PHP values from Rust values, and back.

use std::borrow::Borrow;

use ext_php_rs::types::{ArrayKey, ZendHashTable, ZendStr, Zval};

/// A key of a PHP array. PHP strings are bytes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Key {
    Int(i64),
    Text(Box<[u8]>),
}

impl Key {
    /// The key in a value, if it is one of the two kinds an array has.
    pub(crate) fn from_zval(value: &Zval) -> Option<Self> {
        match value.long() {
            Some(number) => Some(Self::Int(number)),
            None => bytes_of(value).map(|text| Self::Text(text.into())),
        }
    }

    pub(crate) fn from_array(key: &ArrayKey<'_>) -> Self {
        match key {
            ArrayKey::Long(number) => Self::Int(*number),
            ArrayKey::String(text) => Self::Text(text.as_bytes().into()),
            ArrayKey::Str(text) => Self::Text(text.as_bytes().into()),
            ArrayKey::ZendString(text) => Self::Text(text.as_bytes().into()),
        }
    }

    /// The number under which an array has the key: `$array['7']` means `$array[7]`.
    fn as_index(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(text) => std::str::from_utf8(text).ok().and_then(|text| {
                text.parse()
                    .ok()
                    .filter(|number: &i64| number.to_string() == text)
            }),
        }
    }

    /// The key as an array has it.
    pub(crate) fn into_array_key(self) -> Self {
        match self.as_index() {
            Some(number) => Self::Int(number),
            None => self,
        }
    }

    pub(crate) fn to_zval(&self) -> Zval {
        match self {
            Self::Int(number) => int(*number),
            Self::Text(text) => bytes(text),
        }
    }
}

pub(crate) fn null() -> Zval {
    Zval::null()
}

pub(crate) fn bool(value: bool) -> Zval {
    let mut zval = Zval::new();
    zval.set_bool(value);
    zval
}

pub(crate) fn int(value: i64) -> Zval {
    let mut zval = Zval::new();
    zval.set_long(value);
    zval
}

/// A count. PHP's integers end at 2^63 - 1, which no counter here reaches.
pub(crate) fn count(value: impl TryInto<i64>) -> Zval {
    int(value.try_into().unwrap_or(i64::MAX))
}

pub(crate) fn float(value: f64) -> Zval {
    let mut zval = Zval::new();
    zval.set_double(value);
    zval
}

pub(crate) fn bytes(value: &[u8]) -> Zval {
    let mut zval = Zval::new();
    zval.set_zend_string(ZendStr::new(value, false));
    zval
}

pub(crate) fn text(value: &str) -> Zval {
    bytes(value.as_bytes())
}

pub(crate) fn nullable<T>(value: Option<T>, convert: impl FnOnce(T) -> Zval) -> Zval {
    value.map_or_else(null, convert)
}

/// A PHP list.
pub(crate) fn list(values: impl IntoIterator<Item = Zval>) -> Zval {
    let mut table = ZendHashTable::new();
    for value in values {
        // Fails only when 2^63 elements are there already.
        let _ = table.push(value);
    }
    let mut zval = Zval::new();
    zval.set_hashtable(table);
    zval
}

/// A PHP array with keys.
pub(crate) fn map<K: Borrow<Key>>(entries: impl IntoIterator<Item = (K, Zval)>) -> Zval {
    let mut table = ZendHashTable::new();
    for (key, value) in entries {
        let key = key.borrow();
        let stored = match (key.as_index(), key) {
            (Some(number), _) => table.insert_at_index(number, value),
            (None, Key::Text(text)) => {
                let text = ZendStr::new(text, false);
                table.insert(ArrayKey::ZendString(&text), value)
            }
            (None, Key::Int(_)) => continue,
        };
        debug_assert!(stored.is_ok());
    }
    let mut zval = Zval::new();
    zval.set_hashtable(table);
    zval
}

/// The bytes of a string value, which PHP does not convert here.
pub(crate) fn bytes_of(value: &Zval) -> Option<&[u8]> {
    value.zend_str().map(ZendStr::as_bytes)
}

/// The text of a string value; `None` for another type, or bytes that are not UTF-8.
pub(crate) fn text_of(value: &Zval) -> Option<&str> {
    bytes_of(value).and_then(|bytes| std::str::from_utf8(bytes).ok())
}
