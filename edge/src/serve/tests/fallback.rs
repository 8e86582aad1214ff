//! The copy answers in the origin's place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use snapshot::order::Mode;
use tokio::time::Instant;

use super::origin::Mood;
use super::world::{COPY, FIRST_BYTE, World};

#[tokio::test]
async fn each_failure_of_the_origin_falls_back_for_its_own_request() {
    let world = World::new().await;
    for (path, detail) in [
        ("/broken.txt", "reset"),
        ("/nonsense.txt", "nonsense"),
        ("/500.txt", "origin-5xx"),
        ("/503.txt", "origin-5xx"),
        ("/slow.txt", "first-byte-timeout"),
    ] {
        let got = world.get(path).await;
        assert_eq!(
            (got.status, got.body.as_str()),
            (StatusCode::OK, COPY),
            "{path}"
        );
        assert_eq!(got.header("holdfast-release"), "7");
        assert!(
            got.header("cache-status").contains(detail),
            "{path}: {got:?}"
        );
    }
    assert_eq!(world.get("/a.txt").await.body, "from the origin");
    world.origin.kill().await;
    let got = world.ask(Method::HEAD, "/a.txt", &[]).await;
    assert_eq!((got.status, got.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(got.header("content-length"), COPY.len().to_string());
    assert!(got.is_copy());
}

#[tokio::test]
async fn what_the_copy_lacks_is_said_so_and_never_a_404() {
    let world = World::new().await;
    world.origin.kill().await;
    let got = world.get("/not-there.txt").await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(got.header("cache-control"), "no-store");
    assert!(got.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn waiting_ends_when_waiting_has_become_pointless() {
    let world = Arc::new(World::new().await);
    world.origin.set(Mood::BlackHole);
    let asking = Arc::clone(&world);
    let begun = Instant::now();
    let asked = tokio::spawn(async move { asking.get("/a.txt").await });
    while world.origin.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    world.order(Mode::Degraded).await;
    let got = asked.await.unwrap();
    assert_eq!((got.status, got.body.as_str()), (StatusCode::OK, COPY));
    assert!(got.header("cache-status").contains("gave-up"), "{got:?}");
    assert!(begun.elapsed() < FIRST_BYTE, "{:?}", begun.elapsed());
}

/// Asks without pause from several clients; counts answers that are not a 200 with the file.
async fn under_load(world: &Arc<World>, story: impl AsyncFnOnce()) -> (usize, usize) {
    let over = Arc::new(AtomicBool::new(false));
    let (asked, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..6)
        .map(|client| {
            let (world, over) = (Arc::clone(world), Arc::clone(&over));
            let (asked, failed) = (Arc::clone(&asked), Arc::clone(&failed));
            tokio::spawn(async move {
                let paths = ["/a.txt", "/b.txt", "/c.txt", "/f/a.txt", "/f/b.txt"];
                let mut turn = client;
                while !over.load(Ordering::Relaxed) {
                    let got = world.get(paths[turn % paths.len()]).await;
                    turn += 1;
                    asked.fetch_add(1, Ordering::Relaxed);
                    let fine = got.body == COPY || got.body == "from the origin";
                    if got.status != StatusCode::OK || !fine {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    story().await;
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    (
        asked.load(Ordering::Relaxed),
        failed.load(Ordering::Relaxed),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_fails_while_the_origin_is_killed_and_comes_back() {
    let world = Arc::new(World::new().await);
    let (asked, failed) = under_load(&world, async || {
        world.until("normal").await;
        world.origin.kill().await;
        let mode = world.until("degraded").await;
        assert!(
            ["connect", "reset", "probe"].contains(&mode.effective.reason().as_str()),
            "{mode:?}"
        );
        // What nobody asked for has lost the same origin, and is known to have.
        world.site().gates.of(None).degraded().await;
        world.origin.revive().await;
        world.until("probing").await;
        world.until("normal").await;
    })
    .await;
    assert!(asked > 20, "{asked}");
    assert_eq!(failed, 0, "of {asked}");
    assert_eq!(world.get("/a.txt").await.body, "from the origin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_fails_while_the_origin_is_a_black_hole() {
    let world = Arc::new(World::new().await);
    let (asked, failed) = under_load(&world, async || {
        world.origin.set(Mood::BlackHole);
        let begun = Instant::now();
        world.until("degraded").await;
        let took = begun.elapsed();
        assert!(
            took < FIRST_BYTE + FIRST_BYTE + Duration::from_secs(1),
            "{took:?}"
        );
        let begun = Instant::now();
        assert_eq!(world.get("/c.txt").await.body, COPY);
        assert!(begun.elapsed() < FIRST_BYTE);
        world.origin.set(Mood::Well);
        world.until("normal").await;
    })
    .await;
    assert!(asked > 20, "{asked}");
    assert_eq!(failed, 0, "of {asked}");
}
