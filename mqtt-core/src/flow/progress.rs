//! What became of received bytes.

/// Whether a machine took everything it was given.
///
/// Whatever the answer, bytes that are left in the input stay there until the machine is called again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[must_use]
pub enum Progress {
    /// Every whole packet was taken: read more.
    Done,
    /// The application has to do something first: take events, or answer what an event asked. Do not read more. Once
    /// events were taken or a method was called, call `handle_input` again with the same input; new bytes are not
    /// needed for it. While nothing of the kind happens, wait.
    Blocked,
    /// The peer has to read first: too many answers to it wait, or the CONNECT does. Do not read more. Once output was
    /// written, call `poll_transmit` and then `handle_input` with the same input.
    Congested,
}

impl Progress {
    /// Whether nothing more is to be read for now.
    #[must_use]
    pub const fn is_blocked(self) -> bool {
        !matches!(self, Self::Done)
    }
}
