//! Orders that are no longer in force: the mirrors have them, each edge the last, and the edges' logs all
//! that came, with their signatures, when and how.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use futures::future::join;
use serde_json::json;
use snapshot::trust::Signers;
use snapshot::{Digest, Envelope, Namespace, Scope, Timestamp};
use url::Url;

use super::before;
use super::draft::Change;
use super::give::{World, described};
use super::mirrors::{self, Known};
use super::preview::because;
use super::scope;
use crate::cmd::ops::Settings;
use crate::cmd::ops::plain::plain;
use crate::cmd::report::gather::gather;
use crate::cmd::{Exit, Fault};
use crate::log::{Came, Event, OrderSaid};
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
        let is_of = |scope: &Scope| of.as_ref().is_none_or(|of| of == scope);
        let (logs, held) = join(noted(settings, self.since), mirrors::read_all(settings)).await;
        let (mut noted, unheard) = logs;
        // Without a path the logs still tell.
        let held = match held {
            Err(fault) if noted.is_empty() => return Err(fault),
            held => held.unwrap_or_default(),
        };
        let of = |known: &&Known| is_of(&known.order.scope);
        let sources = settings.sources();
        for newest in held.iter().filter(of) {
            let before = before::all(settings, &sources, newest, self.since).await;
            let newest = (newest.clone(), String::new());
            for (known, url) in std::iter::once(newest).chain(before) {
                let digest = known.digest.to_string();
                noted
                    .entry(digest)
                    .or_insert_with(|| Noted::read(settings, &known, url));
            }
        }
        let mut noted: Vec<Noted> = noted.into_values().collect();
        noted.retain(|noted| noted.said.scope.parse().is_ok_and(|scope| is_of(&scope)));
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
    /// One that no log tells of.
    fn read(settings: &Settings, known: &Known, url: String) -> Self {
        let (site, order) = (&settings.site, &known.order);
        let (namespace, scope) = (Namespace::Order, Some(&order.scope));
        let generation = settings.generation.as_ref();
        let signers = generation.and_then(|generation| {
            let at = order.signed_at;
            let held = generation.verify(&known.envelope, namespace, site, scope, at);
            held.ok()
        });
        let persons = signers.as_ref().map(Signers::persons).unwrap_or_default();
        Self {
            said: OrderSaid::new(order, &known.envelope, &persons, Came::Mirror { url }),
            was_in_force: true,
            edges: 0,
        }
    }

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
        // Trust files may not be here, or no longer name who signed.
        if !said.signers.is_empty() {
            words += &format!("; signed by {}", said.signers.join(", "));
        }
        match self.edges {
            0 => words += "; no log tells of it",
            1 => words += "; on 1 edge",
            n => words += &format!("; on {n} edges"),
        }
        if !self.was_in_force {
            words += "; lost against another of its epoch";
        }
        plain(&words)
    }
}

/// Takes back the newest order of `scope`: what the one before it said counts again.
pub(super) async fn undo(world: &World<'_>, scope: &Scope) -> Result<Change, Fault> {
    let newest = world.held.newest(scope).ok_or_else(|| {
        let fault = Fault::failed(format!("there is no order about {scope}: nothing to undo"));
        fault.hint("see what is ordered with  edge order show")
    })?;
    let Some(before) = newest.order.predecessor else {
        eprintln!("undoes {}\n  before it there was none", described(newest));
        return Ok(Change::Undo(None));
    };
    let settings = world.settings;
    let found = before::find(settings, &settings.sources(), before).await;
    let known = match found {
        Some((known, _)) => Some(known),
        None => logged(world, newest, before).await,
    };
    let Some(known) = known else {
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

/// The order of that hash, which `newest` follows, if an edge's log has it.
async fn logged(world: &World<'_>, newest: &Known, before: Digest) -> Option<Known> {
    let since = world.now.since(newest.order.signed_at) + AROUND;
    let (mut noted, _) = noted(world.settings, since).await;
    let text = noted.remove(&before.to_string())?.said.envelope?;
    let envelope = Envelope::from_bytes(&STANDARD.decode(text).ok()?).ok()?;
    // Its hash is in the signed order that followed it: whoever gives it, it is the one.
    Known::of(&envelope).filter(|known| known.digest == before)
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
