//! A path that says "not now": a peer listener takes so many statements a second from all strangers
//! together (429), and an edge that is at work on one has none of its attention left (503). Both mean
//! the next second, and giving up at once would leave an order with nobody while somebody floods.

use std::error::Error as _;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::sync::MirrorError;

/// How long a path is left alone that has too much to do. It is what peer listeners give as
/// `Retry-After`; the store below a path tells its status and no header of it.
const PAUSE: Duration = Duration::from_secs(1);
/// How the store below a path tells of both.
const BUSY: [&str; 2] = ["status code: 429 ", "status code: 503 "];

/// Does `work` on a path; again while the path is busy, and there is a pause left until `until`.
///
/// # Errors
/// In words.
pub async fn patiently<T>(
    until: Instant,
    mut work: impl AsyncFnMut() -> Result<T, MirrorError>,
) -> Result<T, String> {
    loop {
        match work().await {
            Err(error) if is_busy(&error) && Instant::now() + PAUSE < until => sleep(PAUSE).await,
            ended => return ended.map_err(|error| error.to_string()),
        }
    }
}

fn is_busy(error: &MirrorError) -> bool {
    let MirrorError::Store { source, .. } = error else {
        return false;
    };
    let under = std::iter::successors(source.source(), |error| (*error).source());
    let mut told = under.map(|error| error.to_string());
    told.any(|told| BUSY.iter().any(|busy| told.contains(busy)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::fixture::{listening, site};
    use crate::sync::mirror::Shown;
    use crate::sync::{Mirror, Place};

    /// A peer listener that answers so a number of times, and then takes what it is brought.
    async fn peer(status: &'static str, times: usize) -> (Mirror, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let url = listening(move |mut stream, _| {
            let is_busy = counted.fetch_add(1, Ordering::Relaxed) < times;
            async move {
                let status = if is_busy { status } else { "200 OK" };
                let answer = format!(
                    "HTTP/1.1 {status}\r\nretry-after: 1\r\ncontent-length: 0\r\n\
                     connection: close\r\n\r\n"
                );
                stream
                    .write_all(answer.as_bytes())
                    .await
                    .unwrap_or_default();
            }
        });
        let mirror = Mirror::open(&url.await).unwrap();
        (mirror.showing(&Shown::default()).unwrap(), asked)
    }

    async fn put(mirror: &Mirror, wait: Duration) -> Result<(), String> {
        let place = Place::orders(&site());
        patiently(Instant::now() + wait, async || {
            mirror.put(&place, vec![0]).await
        })
        .await
    }

    #[tokio::test]
    async fn who_is_busy_is_asked_again_and_who_refuses_is_not() {
        let (busy, asked) = peer("429 Too Many Requests", 2).await;
        put(&busy, Duration::from_secs(60)).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        let (refusing, asked) = peer("403 Forbidden", 1).await;
        assert!(put(&refusing, Duration::from_secs(60)).await.is_err());
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn who_stays_busy_is_left_when_the_wait_is_over() {
        let (busy, asked) = peer("503 Service Unavailable", usize::MAX).await;
        let said = put(&busy, Duration::ZERO).await.unwrap_err();
        assert!(said.contains("503"), "{said}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
