//! Orders that are no longer in force: the edges' logs have them, with their signatures.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;
use snapshot::{Envelope, Scope, Timestamp};
use url::Url;

use super::draft::Change;
use super::give::{World, described};
use super::mirrors::{self, Known};
use super::preview::{because, plain};
use super::scope;
use crate::cmd::ops::Settings;
use crate::cmd::report::gather::gather;
use crate::cmd::{Exit, Fault};
use crate::log::{Event, OrderSaid};
use crate::settings::parse_duration;
use crate::sync::wall_clock;

#[derive(Clone, Debug, Args)]
pub(super) struct History {
    /// A service, or `site`; all scopes if it is not said.
    scope: Option<String>,
    /// How far back: 24h, 30d.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = since)]
    since: Duration,
}

/// An order, as edges have noted it.
struct Noted {
    said: OrderSaid,
    /// Whether it was in force anywhere.
    was_in_force: bool,
    edges: usize,
}

impl History {
    pub(super) async fn run(self, settings: &Settings) -> Result<Exit, Fault> {
        let of = self.scope.as_deref().map(scope).transpose()?;
        let (noted, unheard) = noted(settings, self.since).await;
        let is_of = |said: &str| of.as_ref().is_none_or(|of| of.to_string() == said);
        let mut noted: Vec<Noted> = noted.into_values().collect();
        noted.retain(|noted| is_of(&noted.said.scope));
        if noted.is_empty() {
            // No log is reached: the newest order of each scope is known all the same.
            let held = mirrors::read_all(settings).await?;
            let held = held
                .iter()
                .filter(|known| is_of(&known.order.scope.to_string()));
            for known in held {
                println!("{}", described(known));
            }
        }
        noted.sort_by(|one, other| {
            let key = |noted: &Noted| (noted.said.signed_at.clone(), noted.said.epoch);
            key(one).cmp(&key(other))
        });
        if settings.json {
            let each = noted.iter().map(|noted| {
                json!({ "order": noted.said, "was_in_force": noted.was_in_force, "edges": noted.edges })
            });
            println!(
                "{}",
                json!({ "orders": each.collect::<Vec<_>>(), "edges_not_read": unheard })
            );
        } else {
            noted.iter().for_each(|noted| println!("{}", noted.words()));
            unheard
                .iter()
                .for_each(|why| eprintln!("  log not read: {why}"));
        }
        Ok(Exit::Done)
    }
}

impl Noted {
    fn words(&self) -> String {
        let said = &self.said;
        let (at, scope, epoch, mode) = (&said.signed_at, &said.scope, said.epoch, &said.mode);
        let mut words = format!("{at}  {scope}  order {epoch}: {mode}");
        if let Some(end) = &said.ends_at {
            words += &format!(" until {end}");
        }
        if let Some(pin) = said.pin {
            words += &format!(", pinned to release {pin}");
        }
        match said.notices {
            0 => {}
            1 => words += ", 1 notice",
            n => words += &format!(", {n} notices"),
        }
        words += &format!("; by {}{}", said.who, because(&said.why));
        words += &format!(
            "; signed by {}; on {} edges",
            said.signers.join(", "),
            self.edges
        );
        if !self.was_in_force {
            words += "; lost against another of its epoch";
        }
        plain(&words)
    }
}

/// Takes back the newest order of `scope`: what the one before it said counts again.
pub(super) async fn undo(world: &World<'_>, scope: &Scope) -> Result<Change, Fault> {
    let newest = world.held.newest(scope).ok_or_else(|| {
        Fault::failed(format!("there is no order about {scope}: nothing to undo"))
    })?;
    let Some(before) = newest.order.predecessor else {
        eprintln!("undoes {}\n  before it there was none", described(newest));
        return Ok(Change::Undo(None));
    };
    let since = world.now.since(newest.order.signed_at) + AROUND;
    let (mut noted, _) = noted(world.settings, since).await;
    let found = noted.remove(&before.to_string());
    let found = found.and_then(|noted| noted.said.envelope);
    let found = found.and_then(|text| STANDARD.decode(text).ok());
    let found = found.and_then(|bytes| Envelope::from_bytes(&bytes).ok());
    // Its hash is in the signed order that followed it: whoever gives it, it is the one.
    let found = found.filter(|envelope| envelope.payload_digest() == before);
    let Some(known) = found.as_ref().and_then(Known::of) else {
        let message = format!("what was ordered before {} is not known", described(newest));
        let fault = Fault::failed(message);
        return Err(fault.hint(
            "the logs of edges know it: name their control listeners with --edge URL; or say what you \
             want with degrade, recover, notice or unpin",
        ));
    };
    eprintln!(
        "undoes {}\n  back to {}",
        described(newest),
        described(&known)
    );
    Ok(Change::Undo(Some(Box::new(known.order))))
}

/// How long before the newest order the one before it may have come; a log also gives what stood then.
const AROUND: Duration = Duration::from_secs(3600);

/// Every order of the last `since`, by digest, of every edge's log; and which logs were not read.
async fn noted(settings: &Settings, since: Duration) -> (BTreeMap<String, Noted>, Vec<String>) {
    let controls = settings
        .edges
        .iter()
        .filter_map(|edge| edge.control.clone());
    let controls: Vec<Url> = controls.collect();
    let now = wall_clock();
    let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let range = (Timestamp(now.0.saturating_sub(since)), now.plus(AROUND));
    let mut noted: BTreeMap<String, Noted> = BTreeMap::new();
    let mut by_edge = std::collections::BTreeSet::new();
    let site = settings.site.as_str();
    let heard = gather(&controls, range, Some(site), |place, entry| {
        let (said, is_accepted) = match entry.event {
            Event::OrderAccepted(said) => (said, true),
            Event::OrderOutranked(said) => (said, false),
            _ => return,
        };
        let is_first = by_edge.insert((said.digest.clone(), place));
        let known = noted.entry(said.digest.clone()).or_insert_with(|| Noted {
            said,
            was_in_force: false,
            edges: 0,
        });
        known.was_in_force |= is_accepted;
        known.edges += usize::from(is_first);
    });
    let heard = heard.await.into_iter();
    let unheard = heard.filter_map(|heard| Some(format!("{}: {}", heard.url, heard.error?)));
    (noted, unheard.collect())
}

fn since(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| "expected a whole number and s, m, h or d, as in 30d".to_owned())
}
