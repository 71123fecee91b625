//! Bytes: how single fields are read and written. Knows no packet.

mod fixed_header;
mod output;
mod property;
mod property_list;
mod reader;
mod var_int;
mod writer;

pub(crate) use self::{
    fixed_header::FixedHeader,
    output::LARGE_PAYLOAD,
    property::Hidden,
    property_list::Summary,
    reader::{Reader, TextRules},
    var_int::{MAX_VAR_INT, var_int_len},
    writer::Writer,
};
pub use self::{
    output::Output,
    property::{PayloadFormat, Property, PropertyHolder, PropertyId},
    property_list::{Properties, PropertiesBuf, PropertiesIter},
};
