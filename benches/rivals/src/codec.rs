//! The module of this name in the tests of `mqtt-core`, as far as its files on 5.0 need it.

pub(crate) use crate::corpus::by_hand::verdicts;

#[path = "../../../mqtt-core/tests/it/codec/v5/connect.rs"]
pub(crate) mod connect;
#[path = "../../../mqtt-core/tests/it/codec/v5/ending.rs"]
pub(crate) mod ending;
#[path = "../../../mqtt-core/tests/it/codec/v5/fields.rs"]
pub(crate) mod fields;
#[path = "../../../mqtt-core/tests/it/codec/v5/publish.rs"]
pub(crate) mod publish;
#[path = "../../../mqtt-core/tests/it/codec/v5/subscribe.rs"]
pub(crate) mod subscribe;
#[path = "../../../mqtt-core/tests/it/codec/v311.rs"]
pub(crate) mod v311;
