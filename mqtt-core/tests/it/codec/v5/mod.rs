//! Packets of 5.0 that must be taken and packets that must be refused, by the rule that tells them apart. Each refused packet
//! has one thing wrong.

mod connect;
mod ending;
mod fields;
mod publish;
mod subscribe;
