//! What both ends of a connection do alike: sessions, the exchanges of QoS 1 and 2, limits, aliases, deadlines.
//!
//! A [`Session`] outlives the connections that carry it; a [`link::Link`] is one connection. The parts hand values back to
//! the machine that owns them ([`Client`](crate::client::Client), [`Server`](crate::server::Server)); none is polled by
//! the driver and none knows what a transport is.
//!
//! What must be durable before what may be sent is to be kept beside this, in `journal`.

mod answers;
mod in_flight;
mod inbound;
mod link;
mod negotiated;
mod outbound;
mod packet_ids;
mod progress;
mod queue;
mod sender;
mod session;
mod timers;
mod topic_aliases;
mod violation;

pub(crate) use self::{
    answers::{AckReason, Answer},
    link::{HIGH_WATER, Link, Received},
    outbound::{Settled, kept},
    timers::{Timer, Timers},
};
pub use self::{
    inbound::{AckError, AckToken, Acknowledge},
    negotiated::Negotiated,
    outbound::{DropReason, Outcome, PublishError, PublishId, SessionBounds, Unfinished},
    progress::Progress,
    session::{Session, SessionLost},
    topic_aliases::TopicAliasError,
    violation::Violation,
};
