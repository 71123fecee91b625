//! The types that the values of properties have, and their forms on the wire (v5 2.2.2.2).

use core::fmt;

use super::{Checked, PayloadFormat, PropertyId, Reader, Writer, var_int_len};
use crate::{
    error::DecodeError,
    types::{
        KeepAlive, MaximumPacketSize, QoS, ReceiveMaximum, SessionExpiry, SubscriptionId,
        TopicAlias, TopicName, Utf8,
    },
};

/// How a value of one type is read and written.
pub(super) trait Value<'a>: Sized {
    fn check(id: PropertyId, reader: &mut Reader<'a>) -> Result<(), DecodeError>;
    /// Reads what was checked.
    fn read(reader: &mut Reader<'a, Checked>) -> Option<Self>;
    fn wire_len(&self) -> usize;
    fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o>;
    /// What Debug shows.
    fn shown(&self) -> impl fmt::Debug;
}

/// Binary Data may be a secret or a payload, so Debug shows its length alone.
pub(crate) struct Hidden(pub(crate) usize);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0)
    }
}

/// A value whose wire form is an integer of `$width` bytes and whose type may refuse some numbers.
macro_rules! integer_value {
    ($type:ident, $width:literal, $read:ident, $from:expr, $to:expr) => {
        impl<'a> Value<'a> for $type {
            #[inline]
            fn check(id: PropertyId, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
                $from(reader.$read()?)
                    .map(|_| ())
                    .ok_or(DecodeError::PropertyValue { property: id })
            }
            #[inline]
            fn read(reader: &mut Reader<'a, Checked>) -> Option<Self> {
                let value = reader.$read().ok()?;
                $from(value)
            }
            #[inline]
            fn wire_len(&self) -> usize {
                $width
            }
            #[inline]
            fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
                writer.$read($to(*self))
            }
            fn shown(&self) -> impl fmt::Debug {
                self
            }
        }
    };
}

const fn flag(value: u8) -> Option<bool> {
    match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

const fn payload_format(value: u8) -> Option<PayloadFormat> {
    match value {
        0 => Some(PayloadFormat::Unspecified),
        1 => Some(PayloadFormat::Utf8),
        _ => None,
    }
}

/// Maximum QoS 2 is said by leaving the property out; writing it is a Protocol Error (v5 3.2.2.3.4).
const fn maximum_qos(value: u8) -> Option<QoS> {
    match value {
        0 => Some(QoS::AtMostOnce),
        1 => Some(QoS::AtLeastOnce),
        _ => None,
    }
}

integer_value!(bool, 1, u8, flag, u8::from);
integer_value!(PayloadFormat, 1, u8, payload_format, |value| value as u8);
integer_value!(QoS, 1, u8, maximum_qos, QoS::as_u8);
integer_value!(u16, 2, u16, Some, core::convert::identity);
integer_value!(u32, 4, u32, Some, core::convert::identity);
integer_value!(
    KeepAlive,
    2,
    u16,
    |value| Some(KeepAlive::from_secs(value)),
    KeepAlive::as_secs
);
integer_value!(
    ReceiveMaximum,
    2,
    u16,
    ReceiveMaximum::new,
    ReceiveMaximum::get
);
integer_value!(
    SessionExpiry,
    4,
    u32,
    |value| Some(SessionExpiry::from_secs(value)),
    SessionExpiry::as_secs
);
integer_value!(
    MaximumPacketSize,
    4,
    u32,
    MaximumPacketSize::new,
    MaximumPacketSize::get
);

impl<'a> Value<'a> for TopicAlias {
    #[inline]
    fn check(_: PropertyId, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        // Zero has a Reason Code of its own. [v5 MQTT-3.3.2-8]
        let alias = Self::new(reader.u16()?).ok_or(DecodeError::ZeroTopicAlias);
        alias.map(|_| ())
    }
    #[inline]
    fn read(reader: &mut Reader<'a, Checked>) -> Option<Self> {
        Self::new(reader.u16().ok()?)
    }
    #[inline]
    fn wire_len(&self) -> usize {
        2
    }
    #[inline]
    fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        writer.u16(self.get())
    }
    fn shown(&self) -> impl fmt::Debug {
        self
    }
}

impl<'a> Value<'a> for SubscriptionId {
    #[inline]
    fn check(id: PropertyId, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        let value = Self::new(reader.var_int()?).ok_or(DecodeError::PropertyValue { property: id });
        value.map(|_| ())
    }
    #[inline]
    fn read(reader: &mut Reader<'a, Checked>) -> Option<Self> {
        Self::new(reader.var_int().ok()?)
    }
    #[inline]
    fn wire_len(&self) -> usize {
        var_int_len(self.get() as usize)
    }
    #[inline]
    fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        writer.var_int(self.get())
    }
    fn shown(&self) -> impl fmt::Debug {
        self
    }
}

impl<'a> Value<'a> for Utf8<'a> {
    #[inline(always)]
    fn check(_: PropertyId, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        reader.check_utf8()
    }
    #[inline]
    fn read(reader: &mut Reader<'a, Checked>) -> Option<Self> {
        reader.checked_str().map(Self::from_checked)
    }
    #[inline]
    fn wire_len(&self) -> usize {
        2 + self.len()
    }
    #[inline]
    fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        writer.field(self.as_str().as_bytes())
    }
    fn shown(&self) -> impl fmt::Debug {
        self
    }
}

impl<'a> Value<'a> for TopicName<'a> {
    #[inline(always)]
    fn check(_: PropertyId, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        reader.check_topic_name()
    }
    #[inline]
    fn read(reader: &mut Reader<'a, Checked>) -> Option<Self> {
        reader.checked_str().map(Self::from_checked)
    }
    #[inline]
    fn wire_len(&self) -> usize {
        2 + self.as_str().len()
    }
    #[inline]
    fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        writer.field(self.as_str().as_bytes())
    }
    fn shown(&self) -> impl fmt::Debug {
        self
    }
}

impl<'a> Value<'a> for &'a [u8] {
    #[inline]
    fn check(_: PropertyId, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
        reader.binary().map(|_| ())
    }
    #[inline]
    fn read(reader: &mut Reader<'a, Checked>) -> Option<Self> {
        reader.binary().ok()
    }
    #[inline]
    fn wire_len(&self) -> usize {
        2usize.saturating_add(self.len())
    }
    #[inline]
    fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        writer.field(self)
    }
    fn shown(&self) -> impl fmt::Debug {
        Hidden(self.len())
    }
}
