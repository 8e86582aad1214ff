//! Time as a process lives through it.

use std::time::Duration;

/// Time is counted in so many parts, and a part as one however long it was.
const PARTS: u32 = 10;

/// The outcome of `work`, unless it takes longer than `most`.
///
/// Time in which this process stood still does not count, but for a tenth of `most` at most: a host that takes
/// the processors away for seconds has stopped the work with the clock, and whatever was under way
/// is as good as done once it goes on.
pub(super) async fn within<T>(most: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = passed(most) => None,
    }
}

async fn passed(most: Duration) {
    for _ in 0..PARTS {
        tokio::time::sleep(most / PARTS).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::time::sleep;

    use super::*;

    const MOST: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn what_takes_too_long_is_given_up() {
        assert_eq!(within(MOST, std::future::pending::<()>()).await, None);
        assert_eq!(within(Duration::ZERO, async { 1 }).await, Some(1));
    }

    #[tokio::test]
    async fn standing_still_counts_for_next_to_nothing() {
        let work = async {
            sleep(MOST / 10).await;
            // This thread is all there is: the clock goes on, and nothing else does.
            let (_held, never) = mpsc::channel::<()>();
            never.recv_timeout(MOST * 2).unwrap_err();
            sleep(MOST / 10).await;
        };
        assert_eq!(within(MOST, work).await, Some(()));
    }
}
