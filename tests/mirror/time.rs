//! Mirrors that stand still, and clocks that do not agree.
//!
//! An edge's time is its clock or the newest accepted statement, whichever is later, and only the
//! two clocks' difference counts: a publisher who is a day ahead is an edge that is a day behind.

use snapshot::{Release, Timestamp, limits};

use super::world::World;
use crate::scene::eventually;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// The mirror answers and offers nothing new, not even a heartbeat. Nothing is wrong with what it
/// offers, so nothing is refused; but age is told from the publisher's word, never from the mirror's,
/// and so it shows.
pub(super) async fn freeze(world: &mut World) {
    world.site.try_publish(&[]).await.expect(10);
    let polled = answered(world).await;
    eventually("an age of two seconds under polls", async || {
        (age(world).await >= 2 && answered(world).await > polled).then_some(())
    })
    .await;
    assert_quiet(world).await;
    world.stands().await;
    // A heartbeat that is let through makes the release young again, and is no new one.
    let frozen = as_of(world).await;
    world.site.try_publish(&[]).await.expect(10);
    world.site.show_pointer("shown");
    eventually("the release to be younger", async || {
        (as_of(world).await > frozen).then_some(())
    })
    .await;
    assert_quiet(world).await;
    world.stands().await;
}

/// A day ahead: taken at once, since a whole fleet must not fall silent for a publisher's clock, but
/// not quietly. Edge time moves there, so that what comes after is judged by the same clock: an
/// honest release is taken as well, and shows as a day old until the day is over.
///
/// A day behind: taken, and a day old from the first moment. A heartbeat that is older than what was
/// accepted is refused: it would make the edge believe less than it knows.
pub(super) async fn clock_a_day_off(world: &mut World) {
    let now = world.forge.release.as_of;
    let heartbeat = dated(&world.forge.release, Timestamp(now.0 - DAY_MS));
    world.offers_release(&heartbeat);
    let (got, floor) = (heartbeat.as_of.rfc3339(), now.rfc3339());
    let reason = format!("old-heartbeat: sequence 1 as of {got} after {floor} was accepted");
    world.refuses("trust", "release", &reason).await;
    let behind = dated(&world.forge.next().unwrap(), Timestamp(now.0 - DAY_MS));
    world.offers_release(&behind);
    world.takes(&behind).await;
    assert!(is_a_day(age(world).await));
    assert_eq!(world.alarms().await, [""; 0]);

    let tomorrow = Timestamp(now.0 + DAY_MS);
    let mut ahead = dated(&world.forge.next().unwrap(), tomorrow);
    ahead.sequence = ahead.sequence.next();
    world.offers_release(&ahead);
    world.takes(&ahead).await;
    let text = format!(
        "ahead-of-time: dated {}: edge time moves there",
        tomorrow.rfc3339()
    );
    assert_eq!(world.alarms().await, [text.as_str()]);
    assert_eq!(age(world).await, 0);
    let status = world.edge.status().await;
    assert_eq!(status["edge_time"], tomorrow.rfc3339());
    let honest = Release {
        sequence: ahead.sequence.next(),
        ..dated(&ahead, now)
    };
    world.offers_release(&honest);
    world.takes(&honest).await;
    assert!(is_a_day(age(world).await));
    // Also after a restart: edge time is on disk.
    world.restarts().await;
    world.stands().await;
    assert_eq!(world.edge.status().await["edge_time"], tomorrow.rfc3339());
    assert!(is_a_day(age(world).await));
}

/// More than seven days ahead is no clock's fault.
pub(super) async fn clock_a_month_off(world: &mut World) {
    let release = world.forge.release.clone();
    let month = dated(
        &world.forge.next().unwrap(),
        Timestamp(release.as_of.0 + 30 * DAY_MS),
    );
    world.offers_release(&month);
    let reason = format!(
        "ahead-of-time: dated {}: at most {} days ahead of edge time are allowed",
        month.as_of.rfc3339(),
        limits::AHEAD_MS / DAY_MS
    );
    world.refuses("trust", "release", &reason).await;
}

fn dated(release: &Release, at: Timestamp) -> Release {
    Release {
        as_of: at,
        signed_at: at,
        ..release.clone()
    }
}

fn is_a_day(age_s: u64) -> bool {
    (0..3600).contains(&age_s.abs_diff(DAY_MS / 1000))
}

/// Nothing was refused and nobody was alarmed.
async fn assert_quiet(world: &World) {
    let status = world.edge.status().await;
    for told in ["refusals", "remarks"] {
        assert_eq!(status[told], serde_json::json!([]), "{told}");
    }
    assert!(status["sources"][0]["error"].is_null(), "{status}");
}

async fn age(world: &World) -> u64 {
    let status = world.edge.status().await;
    status["release"]["age_s"].as_u64().unwrap()
}

async fn as_of(world: &World) -> String {
    let status = world.edge.status().await;
    status["release"]["as_of"].as_str().unwrap().to_owned()
}

async fn answered(world: &World) -> String {
    let status = world.edge.status().await;
    status["sources"][0]["last_answer"]
        .as_str()
        .unwrap()
        .to_owned()
}
