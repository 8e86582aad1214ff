//! The long form: readers go on asking while the origin is killed and stopped in turn, until they
//! have asked [`REQUESTS`] times.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;

use crate::load::Load;
use crate::process::wait_for;
use crate::report::Report;
use crate::world::World;

/// How often readers ask in the long form.
pub const REQUESTS: u64 = 1_000_000;
/// Requests between two turns of the origin's fortune.
const STRETCH: u64 = 20_000;
/// How long one stretch may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Loses the origin and gets it back until enough was asked.
pub(super) async fn comes_and_goes(
    world: &mut World,
    load: &Load,
    report: &mut Report,
    say: &impl Fn(&str),
) -> Result<()> {
    let mut outages = 0_u64;
    while asked(load) < REQUESTS {
        let killed = outages.is_multiple_of(2);
        if killed {
            world.kill_origin();
        } else {
            world.freeze_origin(true)?;
        }
        stretch(load).await?;
        if killed {
            world.start_origin().await?;
        } else {
            world.freeze_origin(false)?;
        }
        stretch(load).await?;
        outages += 1;
        let failed = load.counts().failed.load(Ordering::Relaxed);
        say(&format!(
            "long: {} of {REQUESTS} asked, {failed} failed, {outages} outages",
            asked(load)
        ));
    }
    report.add(
        "Long: the origin comes and goes",
        "outages that readers lived through",
        outages.to_string(),
        Vec::new(),
    );
    Ok(())
}

fn asked(load: &Load) -> u64 {
    load.counts().requests.load(Ordering::Relaxed)
}

async fn stretch(load: &Load) -> Result<()> {
    let until = asked(load) + STRETCH;
    wait_for("readers to go on asking", PATIENCE, async || {
        Ok((asked(load) >= until).then_some(()))
    })
    .await
}
