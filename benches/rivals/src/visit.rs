//! Showing every field of a decoded packet, so that a library that leaves work for later does it now.

use std::hint::black_box;

/// Takes the fields of a packet, one call for each.
pub trait Visit {
    fn number(&mut self, name: &'static str, value: u32);
    fn bytes(&mut self, name: &'static str, value: &[u8]);

    #[inline(always)]
    fn flag(&mut self, name: &'static str, value: bool) {
        self.number(name, u32::from(value));
    }

    #[inline(always)]
    fn text(&mut self, name: &'static str, value: &str) {
        self.bytes(name, value.as_bytes());
    }
}

/// Keeps the compiler from leaving out what was read: what a measured round visits with.
pub struct Touch;

impl Visit for Touch {
    #[inline(always)]
    fn number(&mut self, _name: &'static str, value: u32) {
        black_box(value);
    }

    #[inline(always)]
    fn bytes(&mut self, _name: &'static str, value: &[u8]) {
        black_box(value);
    }
}

/// A field with its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    name: &'static str,
    value: Vec<u8>,
}

impl Field {
    #[must_use]
    pub fn number(name: &'static str, value: u32) -> Self {
        Self::bytes(name, value.to_be_bytes())
    }

    #[must_use]
    pub fn bytes(name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref().to_vec();
        Self { name, value }
    }
}

/// Keeps what was shown: what the check before measuring visits with.
#[derive(Debug, Default)]
pub struct Record(Vec<Field>);

impl Visit for Record {
    fn number(&mut self, name: &'static str, value: u32) {
        self.0.push(Field::number(name, value));
    }

    fn bytes(&mut self, name: &'static str, value: &[u8]) {
        self.0.push(Field::bytes(name, value));
    }
}

impl Record {
    /// Compares with what ought to be there. Only fields of one name have an order.
    ///
    /// # Errors
    /// The first field that differs.
    pub fn expect(mut self, mut expected: Vec<Field>) -> Result<(), String> {
        self.0.sort_by_key(|field| field.name);
        expected.sort_by_key(|field| field.name);
        let shown = |field: Option<&Field>| {
            field.map_or_else(
                || "nothing".to_owned(),
                |field| {
                    let start = &field.value[..field.value.len().min(40)];
                    format!("{} {}", field.name, start.escape_ascii())
                },
            )
        };
        for place in 0..self.0.len().max(expected.len()) {
            let (found, wanted) = (self.0.get(place), expected.get(place));
            if found != wanted {
                return Err(format!("{} instead of {}", shown(found), shown(wanted)));
            }
        }
        Ok(())
    }
}
