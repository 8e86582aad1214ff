//! What an edge's asking costs while nothing happens, with no order ever given and after many.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use edge::signing::KeySource;
use snapshot::order::Mode;
use snapshot::{Digest, Envelope, Epoch, Namespace, OfferedBundle, Order, Scope, encode};
use stage::process::wait_for;

use super::nginx::Nginx;
use super::relay::{Exchanges, Relay};
use crate::options::Options;
use crate::site::Site;
use crate::sync::Edge;
use crate::table::{Row, Table};

/// Orders given before, in the second part.
const PAST: u64 = 10_000;
/// Polls that are looked at.
const POLLS: usize = 10;
/// The most that so many polls may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// `poll-bytes`, and the same once more after many orders.
pub(super) async fn measure(
    site: &Site,
    work: &Path,
    options: &Options,
    table: &mut Table,
) -> Result<()> {
    let mirror = Nginx::start(&work.join("nginx-bytes"), &site.mirror())?;
    let relay = Relay::start(mirror.at).await?;
    let mut edge = Edge::start(&work.join("edge-bytes"), &options.binaries, site, relay.at)?;
    edge.reaches(1).await?;
    let none = quiet(&relay).await?;
    past(site)?;
    wait_for("the last order to be in force", PATIENCE, async || {
        let status = edge.status().await?;
        let epoch = status
            .pointer("/orders/0/epoch")
            .and_then(|epoch| epoch.as_u64());
        Ok((epoch == Some(PAST)).then_some(()))
    })
    .await?;
    let many = quiet(&relay).await?;
    for (id, found, bound) in [
        ("poll-bytes", &none, 1024),
        ("poll-10k", &many, most(&none)),
    ] {
        let each: Vec<String> = found
            .iter()
            .map(|(path, bytes)| format!("{path} {bytes}"))
            .collect();
        table.add(Row {
            id,
            value: most(found) as f64,
            unit: "B",
            bound: bound as f64,
            note: format!(
                "a poll of one document, nothing changed: {}",
                each.join(", ")
            ),
        });
    }
    Ok(())
}

fn most(found: &[(String, usize)]) -> usize {
    found.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0)
}

/// What each document's poll takes once nothing changes: the same each time.
async fn quiet(relay: &Relay) -> Result<Vec<(String, usize)>> {
    // What is as young as a web server's ETag is coarse is asked for whole.
    tokio::time::sleep(Duration::from_secs(5)).await;
    relay.take();
    let mut seen = Exchanges::new();
    wait_for("some polls", PATIENCE, async || {
        for (path, bytes) in relay.take() {
            seen.entry(path).or_default().extend(bytes);
        }
        let enough = !seen.is_empty() && seen.values().all(|bytes| bytes.len() >= POLLS);
        Ok(enough.then_some(()))
    })
    .await?;
    seen.into_iter()
        .map(|(path, bytes)| {
            let most = bytes.iter().copied().max().context("no poll")?;
            let least = bytes.iter().copied().min().context("no poll")?;
            ensure!(
                most == least,
                "polls of {path} take from {least} to {most} bytes"
            );
            Ok((path, most))
        })
        .collect()
}

/// Gives so many orders about one service, each following the one before.
fn past(site: &Site) -> Result<()> {
    let source: KeySource = site.operator().display().to_string().parse()?;
    let signer = source.load()?;
    let mut bundle = OfferedBundle::default();
    let mut before: Option<Digest> = None;
    for epoch in 1..=PAST {
        let order = Order {
            version: Order::VERSION,
            site: "country".parse()?,
            scope: Scope::Service("home".parse()?),
            epoch: Epoch(epoch),
            predecessor: before,
            mode: Mode::Automatic,
            insists: false,
            notices: Vec::new(),
            pin: None,
            back: None,
            who: "bench".to_owned(),
            why: String::new(),
            ends_at: None,
            signed_at: edge::sync::wall_clock(),
        };
        let mut envelope = Envelope::seal(encode(&order)?);
        envelope.sign_with(signer.as_ref(), Namespace::Order)?;
        before = Some(envelope.payload_digest());
        bundle.put(envelope)?;
    }
    Ok(fs_err::write(
        site.mirror().join("country/orders"),
        bundle.to_bytes()?,
    )?)
}
