//! Bytes: how single fields are read and written. Knows no packet.

mod fixed_header;
mod list_traits;
mod output;
mod properties;
mod properties_buf;
mod property;
mod property_value;
mod reader;
mod summary;
mod var_int;
mod writer;

pub(crate) use self::{
    fixed_header::FixedHeader,
    list_traits::list_traits,
    output::LARGE_PAYLOAD,
    property_value::Hidden,
    reader::{Checked, Reader, TextRules},
    summary::Summary,
    var_int::{TOO_LONG, var_int_len},
    writer::Writer,
};
pub use self::{
    output::Output,
    properties::{Properties, PropertiesIter},
    properties_buf::PropertiesBuf,
    property::{PayloadFormat, Property, PropertyHolder, PropertyId},
};
