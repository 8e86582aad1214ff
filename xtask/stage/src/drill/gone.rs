//! The origin is gone, killed or stopped: every URL answers, the systems do, a write is refused
//! honestly. Then it is back.

use anyhow::Result;
use tokio::time::Instant;

use super::NOTICE;
use crate::ask;
use crate::client::Answer;
use crate::process::wait_for;
use crate::report::{Report, SystemLine};
use crate::systems::{self, System};
use crate::urls::Urls;
use crate::world::World;

/// Every URL at every edge: answered from the snapshot with 200.
pub(super) async fn every_url(
    world: &World,
    urls: &Urls,
    report: &mut Report,
    act: &'static str,
) -> usize {
    let begun = Instant::now();
    let (answered, short) = ask::every(world, urls.iter(), ask::not_from_snapshot).await;
    let took = begun.elapsed().as_secs_f32();
    report.add(
        act,
        "URLs that answer at both edges",
        format!("{answered} of {} in {took:.1} s", urls.len()),
        short,
    );
    answered
}

/// The systems, each with the record that was drawn for it.
pub(super) async fn answered(
    world: &World,
    drawn: &[System],
    report: &mut Report,
    act: &'static str,
) -> Vec<SystemLine> {
    let mut lines = Vec::new();
    for system in drawn {
        let missing = system.missing(world).await;
        lines.push(SystemLine {
            name: system.name.to_owned(),
            url: systems::template(system.url()),
            answered: missing.is_empty(),
        });
        report.add(act, system.name, "shown in Korean and English", missing);
    }
    lines
}

/// A write at every edge: refused with a page that says what to do.
pub(super) async fn write_is_refused(world: &World, report: &mut Report, act: &'static str) {
    let mut short = Vec::new();
    for edge in &world.edges {
        match world.client.post(edge.public, "/login", "who=drill").await {
            Ok(answer) if answer.status == 503 && answer.is_html() => {}
            Ok(answer) => short.push(format!("{} at {}", answer.status, edge.name)),
            Err(error) => short.push(format!("{error:#} at {}", edge.name)),
        }
    }
    report.add(act, "a write gets an honest 503", "yes", short);
}

/// Traffic goes back to the origin by itself, at every edge.
pub(super) async fn goes_back(world: &World, report: &mut Report, act: &'static str) -> Result<()> {
    let begun = Instant::now();
    for edge in &world.edges {
        // Ten in a row: a closing breaker lets a rising share through.
        let mut in_a_row = 0;
        wait_for("traffic to go back to the origin", NOTICE, async || {
            let live = world
                .client
                .get(edge.public, "/", "en")
                .await
                .is_ok_and(|answer: Answer| !answer.from_snapshot());
            in_a_row = if live { in_a_row + 1 } else { 0 };
            Ok((in_a_row >= 10).then_some(()))
        })
        .await?;
    }
    report.add(
        act,
        "traffic goes back by itself",
        format!("after {:.1} s", begun.elapsed().as_secs_f32()),
        Vec::new(),
    );
    Ok(())
}
