//! When to connect again, and when never.

use std::time::Duration;

use mqtt_core::ReasonCode;

/// When and how often to connect again after a connection failed or ended.
///
/// Whatever could be mended meanwhile is tried again: also a certificate that has expired, or an upgrade to WebSocket that was
/// refused. Reason Codes that say never end it: see [`CloseCause::Final`](crate::CloseCause::Final).
///
/// The wait before attempt *n* (counted from 0 since the last stable connection) is `min * 2^n`, at most `max`, of which
/// [`jitter_percent`](Self::jitter_percent) are random. By default all of it is ("full jitter"): a thousand clients that lost
/// one server come back spread out, not together.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Reconnect {
    /// Upper end of the first wait. Default 0.5 s.
    pub min: Duration,
    /// Upper end of every wait. Default 60 s.
    pub max: Duration,
    /// How much of each wait is random, 0 to 100: 100 draws it evenly between zero and the whole, 25 between three quarters
    /// and the whole, and 0 always waits the whole. Default 100.
    pub jitter_percent: u8,
    /// How many attempts in a row may fail before the client gives up. `None`: no limit; `Some(0)`: never connect again.
    pub attempts: Option<u32>,
    /// How long a connection must have lasted for the count to start anew. Default 10 s.
    pub stable_after: Duration,
}

impl Reconnect {
    /// Never connects again: the first failure or loss closes the client.
    pub const NEVER: Self = Self {
        min: Duration::ZERO,
        max: Duration::ZERO,
        jitter_percent: 100,
        attempts: Some(0),
        stable_after: Duration::ZERO,
    };

    /// The wait before `attempt` (from 0), for a `random` number that is even over all of `u64`.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: u64) -> Duration {
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        let whole = self.min.saturating_mul(factor).min(self.max);
        let whole = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
        let random_part = u128::from(whole) * u128::from(self.jitter_percent.min(100)) / 100;
        // The upper half of the product: as even as `random`, and never above the random part.
        let drawn = (u128::from(random) * (random_part + 1)) >> 64;
        let nanos = u128::from(whole) - random_part + drawn;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(whole))
    }

    /// Whether `failures` failed attempts in a row are one too many.
    #[must_use]
    pub fn gives_up(&self, failures: u32) -> bool {
        self.attempts.is_some_and(|attempts| failures > attempts)
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            min: Duration::from_millis(500),
            max: Duration::from_secs(60),
            jitter_percent: 100,
            attempts: None,
            stable_after: Duration::from_secs(10),
        }
    }
}

/// What a Reason Code that ended a connection, in CONNACK or DISCONNECT, says about the next attempt.
///
/// The same CONNECT would be refused for the same reason after 0x81, 0x82, 0x84 to 0x87, 0x8A, 0x8C, 0x90, 0x95 and
/// 0x99 to 0x9B; 0x8E says that another client uses our identifier, and coming back would only push that one out in
/// turn; 0x9D says that the server is elsewhere for good. After everything else (busy, shutting down, quota, rate,
/// maintenance) a later attempt may succeed.
#[must_use]
pub(crate) fn may_retry(reason: ReasonCode) -> bool {
    !matches!(
        reason.get(),
        0x81 | 0x82 | 0x84..=0x87 | 0x8A | 0x8C | 0x8E | 0x90 | 0x95 | 0x99..=0x9B | 0x9D
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_maximum() {
        let policy = Reconnect::default();
        let longest = |attempt| policy.delay(attempt, u64::MAX).as_millis();
        assert_eq!(
            [0, 1, 2, 6, 7, 31, 32, 33, u32::MAX].map(longest),
            [
                500, 1_000, 2_000, 32_000, 60_000, 60_000, 60_000, 60_000, 60_000
            ]
        );
    }

    #[test]
    fn jitter_is_full() {
        let policy = Reconnect::default();
        assert_eq!(policy.delay(3, 0), Duration::ZERO);
        assert_eq!(policy.delay(3, u64::MAX / 2).as_millis(), 2_000);
        assert_eq!(policy.delay(3, u64::MAX / 4).as_millis(), 1_000);
    }

    #[test]
    fn jitter_is_drawn_evenly_from_its_part_of_the_wait() {
        let drawn = |jitter_percent, random| {
            let policy = Reconnect {
                jitter_percent,
                ..Reconnect::default()
            };
            policy.delay(3, random).as_millis()
        };
        let quarters = |jitter_percent| {
            [0, 1, 2, 3, 4].map(|quarter| drawn(jitter_percent, u64::MAX / 4 * quarter))
        };
        assert_eq!(quarters(25), [3_000, 3_250, 3_500, 3_750, 4_000]);
        assert_eq!(quarters(100), [0, 1_000, 2_000, 3_000, 4_000]);
        assert_eq!(quarters(0), [4_000; 5]);
        assert_eq!(quarters(101), quarters(100));
        // The longest wait there is overflows nowhere.
        let longest = Reconnect {
            min: Duration::MAX,
            max: Duration::MAX,
            jitter_percent: 50,
            ..Reconnect::default()
        };
        let whole = Duration::from_nanos(u64::MAX);
        assert_eq!(longest.delay(u32::MAX, u64::MAX), whole);
        assert_eq!(longest.delay(0, 0).as_nanos(), whole.as_nanos().div_ceil(2));
    }

    #[test]
    fn gives_up_after_the_last_allowed_failure() {
        assert!(!Reconnect::default().gives_up(u32::MAX));
        assert!(Reconnect::NEVER.gives_up(1));
        let two = Reconnect {
            attempts: Some(2),
            ..Reconnect::default()
        };
        assert!(!two.gives_up(2) && two.gives_up(3));
    }

    #[test]
    fn codes_that_cannot_get_better_are_final() {
        let code = |code| may_retry(ReasonCode::new(code));
        for never in [
            0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x8E, 0x90, 0x95, 0x99, 0x9A, 0x9B,
            0x9D,
        ] {
            assert!(!code(never), "{never:#x}");
        }
        for later in [
            0x00, 0x80, 0x88, 0x89, 0x8B, 0x8D, 0x93, 0x96, 0x97, 0x98, 0x9C, 0x9F, 0xA0,
        ] {
            assert!(code(later), "{later:#x}");
        }
    }
}
