//! The packets that every codec is measured with, as bytes.

pub mod cases;
