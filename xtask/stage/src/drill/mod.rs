//! The outage, played without a person. Acts in order:
//!
//! 1. *Calm*: the origin answers. Ops degrade `pay` and recover it.
//! 2. *Fire*: the origin is killed. Every URL is asked at every edge.
//! 3. *Back*: the origin returns and traffic goes back by itself.
//! 4. *Black hole*: the origin is stopped, connections hang. Every URL again, the systems, a write.
//! 5. *Alone*: the mirror goes too; an edge is killed and started again.
//! 6. *Lies*: the mirror returns and offers bad releases.
//! 7. *Words*: ops write a notice.
//! 8. *Emergency*: a page is changed by hand, without a database.
//! 9. *Hands*: a key is stolen and the building is gone; two people go back to the release before.
//! 10. *Over*: the origin wakes up.
//! 11. In the long form, it comes and goes until a million requests were made.
//!
//! Readers ask throughout; they are sent away from an edge before it is killed, as a CDN would.

mod alone;
mod calm;
mod emergency;
mod gone;
mod hands;
mod lies;
mod long;
mod words;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;

use crate::load::{Load, Pace};
use crate::report::{Report, Summary};
use crate::systems;
use crate::urls::Urls;
use crate::world::{Built, World};

/// How long the whole world may take to notice something.
const NOTICE: Duration = Duration::from_secs(60);

/// The most memory an edge may ever hold, bytes.
const EDGE_MEMORY: u64 = 300_000_000;

/// Plays the outage in `dir`, in its long form if `long`; `say` is told what happens.
///
/// # Errors
/// A world that cannot be built; what falls short is in the report instead.
pub async fn play(
    dir: &Path,
    built: &Built,
    long: bool,
    report: &mut Report,
    say: impl Fn(&str),
) -> Result<Summary> {
    say("laying out the town and its keys");
    let mut world = World::lay_out(dir, built, [127, 0, 0, 1].into()).await?;
    world.start_origin().await?;
    say("publishing");
    world.publish().await?;
    let urls = Urls::of(&world.site())?;
    for at in 0..world.edges.len() {
        world.start_edge(at)?;
    }
    world.wait_ready().await?;

    let drawn = systems::draw(&world)?;
    let load = Load::start(
        &world.client,
        if long { Pace::LONG } else { Pace::DRILL },
        urls.iter().cloned().collect(),
        world.in_service(),
    );

    say("calm: the origin answers");
    calm::calm(&world, &drawn, report).await?;

    say("fire: the origin is killed");
    world.kill_origin();
    let act = "Fire: the origin is killed";
    let after_kill = gone::every_url(&world, &urls, report, act).await;

    say("back: the origin returns");
    world.start_origin().await?;
    gone::goes_back(&world, report, "Back: the origin returns").await?;

    say("black hole: the origin is stopped");
    world.freeze_origin(true)?;
    let act = "Black hole: the origin is stopped";
    let after_stop = gone::every_url(&world, &urls, report, act).await;
    let systems = gone::answered(&world, &drawn, report, act).await;
    gone::write_is_refused(&world, report, act).await;

    say("alone: the mirror goes too, an edge starts again");
    let restart_ms = alone::restart(&mut world, &load, report).await?;

    say("lies: the mirror offers bad releases");
    lies::lies(&world, report).await?;

    say("words: a notice");
    words::words(&world, &urls, report).await?;

    say("emergency: a page is amended by hand");
    emergency::emergency(&world, report).await?;

    say("hands: a stolen key is thrown out, two people decide");
    hands::hands(&world, report).await?;

    say("over: the origin wakes up");
    world.freeze_origin(false)?;
    gone::goes_back(&world, report, "Over: the origin wakes up").await?;

    if long {
        long::comes_and_goes(&mut world, &load, report, &say).await?;
    }

    let counts = load.stop().await;
    let (requests, failed) = (
        counts.requests.load(Ordering::Relaxed),
        counts.failed.load(Ordering::Relaxed),
    );
    report.add(
        "Readers, all the while",
        "GETs that failed",
        format!("{failed} of {requests}"),
        counts.failures(),
    );
    memory(&world, report)?;
    Ok(Summary {
        passed: report.passed(),
        requests,
        failed,
        urls: urls.len(),
        urls_answered: after_kill.min(after_stop),
        restart_ms,
        systems,
    })
}

/// What the hungriest edge held at its peak.
fn memory(world: &World, report: &mut Report) -> Result<()> {
    let mut peak = 0;
    for edge in &world.edges {
        peak = peak.max(edge.peak_memory()?);
    }
    let mb = |bytes: u64| format!("{} MB", bytes.div_ceil(1_000_000));
    report.add(
        "Edges, all the while",
        "most memory that one held",
        mb(peak),
        unless(peak <= EDGE_MEMORY, format!("{} allowed", mb(EDGE_MEMORY))),
    );
    Ok(())
}

/// A shortfall unless `held`.
fn unless(held: bool, why: impl Into<String>) -> Vec<String> {
    if held { Vec::new() } else { vec![why.into()] }
}
