//! How long a mirror is waited for.

use std::time::Duration;

/// How long a pointer, a bundle or a write may take.
pub const SMALL_DEADLINE: Duration = Duration::from_secs(5);
/// How long a mirror may fall silent within an object.
pub const STALL: Duration = Duration::from_secs(10);
/// How long any object may take, however small it is.
pub const OBJECT_DEADLINE: Duration = Duration::from_secs(60);
/// The least a mirror must give, bytes a second: one that drips is as good as dead.
pub const LEAST_BYTES_A_SECOND: u64 = 64 * 1024;

/// What a mirror must give while there are others, bytes a second for each object under way.
pub const FLOOR: u64 = 16 * 1024;

/// The time in which a mirror has to give its [`FLOOR`].
pub const WINDOW: Duration = Duration::from_secs(5);

/// How long a mirror is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a pointer, a bundle or a write; [`SMALL_DEADLINE`] unless told.
    pub small: Duration,
    /// For the next bytes of an object; [`STALL`] unless told.
    pub stall: Duration,
    /// For an object of no bytes; [`OBJECT_DEADLINE`] unless told.
    pub object: Duration,
    /// Bytes a second that an object may add to that; [`LEAST_BYTES_A_SECOND`] unless told.
    pub least_bytes_a_second: u64,
    /// Bytes a second below which another source is asked; [`FLOOR`] unless told.
    pub floor: u64,
    /// In which it has to give that; [`WINDOW`] unless told.
    pub window: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            small: SMALL_DEADLINE,
            stall: STALL,
            object: OBJECT_DEADLINE,
            least_bytes_a_second: LEAST_BYTES_A_SECOND,
            floor: FLOOR,
            window: WINDOW,
        }
    }
}

impl Patience {
    /// How long an object of at most `bytes` may take as a whole.
    #[must_use]
    pub fn for_object(&self, bytes: u64) -> Duration {
        self.object.saturating_add(Duration::from_secs(
            bytes / self.least_bytes_a_second.max(1),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_objects_may_take_longer() {
        let patience = Patience::default();
        assert_eq!(patience.for_object(0), OBJECT_DEADLINE);
        let minute = patience.for_object(60 * LEAST_BYTES_A_SECOND);
        assert_eq!(minute, OBJECT_DEADLINE + Duration::from_secs(60));
    }
}
