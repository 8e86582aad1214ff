//! Alone: origin and mirror gone. Each edge is killed and started again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;

use super::unless;
use crate::client::Client;
use crate::load::Load;
use crate::report::Report;
use crate::visible;
use crate::world::{HOST, World};

/// A killed edge must answer again within this, milliseconds.
const RESTART_MS: u128 = 500;

/// Gives the slowest edge's time from its start to its first answer, milliseconds.
pub(super) async fn restart(world: &mut World, load: &Load, report: &mut Report) -> Result<u128> {
    const ACT: &str = "Alone: origin and mirror gone";
    world.mirror_gone(true)?;
    let (mut worst, mut short) = (0, Vec::new());
    for at in 0..world.edges.len() {
        let edge = world.edges.get(at).context("an edge")?;
        let (public, name) = (edge.public, edge.name);
        edge.in_service.store(false, Ordering::Relaxed);
        load.send_to(world.in_service()).await;
        world.kill_edge(at)?;
        // A fresh client: no connection from before.
        let client = Client::new(HOST);
        let begun = Instant::now();
        world.start_edge(at)?;
        let answer = loop {
            match client.get(public, "/guide/", "ko").await {
                Ok(answer) if answer.status == 200 => break Ok(answer),
                Ok(answer) if begun.elapsed() > Duration::from_secs(10) => {
                    break Err(answer.status.to_string());
                }
                Err(error) if begun.elapsed() > Duration::from_secs(10) => {
                    break Err(format!("{error:#}"));
                }
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        let took = begun.elapsed().as_millis();
        worst = worst.max(took);
        match answer {
            Ok(answer) => short.extend(unless(
                visible::shows(&answer.text(), "다솜페이"),
                format!("{name}: not the page"),
            )),
            Err(why) => short.push(format!("{name}: {why}")),
        }
        short.extend(unless(
            took <= RESTART_MS,
            format!("{name}: {took} ms where {RESTART_MS} ms are allowed"),
        ));
        if let Some(edge) = world.edges.get(at) {
            edge.in_service.store(true, Ordering::Relaxed);
        }
        load.send_to(world.in_service()).await;
    }
    report.add(
        ACT,
        "a killed edge answers again",
        format!("after {worst} ms"),
        short,
    );
    Ok(worst)
}
