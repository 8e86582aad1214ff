//! `edge order pin`: which release is meant.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use snapshot::manifest::{Route, Target};
use snapshot::order::Pin;
use snapshot::{CollectionName, Digest, Manifest, Scope, Sequence, SiteName};
use tokio::time::Instant;

use super::Word;
use super::draft::Change;
use super::facts::SiteFacts;
use super::give::World;
use super::preview::first;
use crate::cmd::Fault;
use crate::cmd::ops::obeying::{Question, obeying};
use crate::sync::Place;

#[derive(Clone, Debug, Args)]
pub(super) struct PinTo {
    /// The release's sequence number.
    #[arg(value_name = "SEQUENCE")]
    sequence: u64,
    /// Its manifest's hash, where no mirror and no edge can be asked for it.
    #[arg(long, value_name = "HEX")]
    manifest: Option<Digest>,
    #[command(flatten)]
    pub(super) word: Word,
}

impl PinTo {
    /// The change, with what the release is on standard error.
    pub(super) async fn change(&self, world: &World<'_>) -> Result<Change, Fault> {
        let sequence = Sequence(self.sequence);
        let settings = world.settings;
        let mut found = SiteFacts::retained(settings, sequence, world.now).await;
        found.extend(
            world
                .facts
                .clone()
                .filter(|facts| facts.release.sequence == sequence),
        );
        let mut manifests: Vec<Digest> = found.iter().map(|facts| facts.release.manifest).collect();
        manifests.sort_unstable();
        manifests.dedup();
        let manifest = match (self.manifest, manifests.as_slice()) {
            (Some(given), found) if found.is_empty() || found.contains(&given) => given,
            (Some(given), found) => {
                let message = format!(
                    "release {sequence} has the manifest {}, and --manifest says {given}",
                    list(found)
                );
                return Err(Fault::usage(message).hint("leave --manifest away"));
            }
            (None, [only]) => *only,
            (None, []) => {
                let message =
                    format!("no mirror and no edge that is reached has release {sequence}");
                let hint =
                    "see  origin-sync log  for what there is, or give --manifest HEX by hand";
                return Err(Fault::failed(message).hint(hint));
            }
            (None, several) => {
                let message = format!("there are two releases {sequence}: {}", list(several));
                return Err(Fault::failed(message).hint("say which with --manifest"));
            }
        };
        if !settings.json {
            let facts = found
                .iter()
                .find(|facts| facts.release.manifest == manifest);
            eprintln!("{}", described(sequence, facts));
            if let (Some(pinned), Some(newest)) = (facts, &world.facts) {
                eprintln!("{}", unlike(newest, pinned));
            }
            let question = Holds {
                site: settings.site.clone(),
                sequence: self.sequence,
            };
            let holding = obeying(settings, &question, Instant::now(), Duration::ZERO).await;
            let (all, holding) = (holding.edges.len(), holding.in_force());
            if all > 0 {
                eprintln!(
                    "  held by {holding} of {all} edges; the others stay where they are until they get it"
                );
            }
        }
        Ok(Change::Pin(Pin { sequence, manifest }))
    }
}

/// The change that takes a pin away, with what comes of it on standard error.
pub(super) async fn unpin(world: &World<'_>) -> Change {
    let order = world.held.newest(&Scope::Site).map(|known| &known.order);
    if let (Some(pin), Some(newest)) = (order.and_then(|order| order.pin), &world.facts)
        && !world.settings.json
    {
        let found = SiteFacts::retained(world.settings, pin.sequence, world.now).await;
        let is_pinned = |facts: &&SiteFacts| facts.release.manifest == pin.manifest;
        if let Some(pinned) = found.iter().find(is_pinned) {
            eprintln!("{}", unlike(pinned, newest));
        }
    }
    Change::Unpin
}

/// In what `after` is another than `before`: collections, and the pages that are made of them.
fn unlike(before: &SiteFacts, after: &SiteFacts) -> String {
    let (sequence, next) = (before.release.sequence, after.release.sequence);
    let (before, after) = (&before.manifest, &after.manifest);
    let segments = |manifest: &Manifest, name: &CollectionName| {
        let collection = manifest.collection(name);
        collection.map(|found| found.segments.iter().map(|one| one.id).collect::<Vec<_>>())
    };
    let named = before.collections.iter().chain(&after.collections);
    let named: BTreeSet<&CollectionName> = named.map(|collection| &collection.name).collect();
    let differs = |name: &&CollectionName| segments(before, name) != segments(after, name);
    let collections: BTreeSet<&CollectionName> = named.into_iter().filter(differs).collect();
    let components = |manifest: &Manifest| -> Vec<(String, Digest)> {
        let components = manifest.components.iter();
        components
            .map(|one| (one.name.to_string(), one.digest))
            .collect()
    };
    let (was, is) = (components(before), components(after));
    let other_guest = |target: &Target| match target {
        Target::Component(name) => {
            let of = |all: &[(String, Digest)]| {
                all.iter()
                    .find(|(known, _)| known == name.as_ref())
                    .map(|(_, digest)| *digest)
            };
            of(&was) != of(&is)
        }
        Target::Assets(name) => collections.contains(name),
    };
    let changes = |route: &&Route| {
        route
            .collections
            .iter()
            .any(|name| collections.contains(name))
            || other_guest(&route.target)
            || !before.routes.contains(route)
            || !after.routes.contains(route)
    };
    let routes = before.routes.iter().chain(&after.routes).filter(changes);
    let mut pages: Vec<String> = routes.map(|route| route.path.clone()).collect();
    pages.sort_unstable();
    pages.dedup();
    if pages.is_empty() {
        return format!("  the same pages as in release {sequence}");
    }
    let collections: Vec<&str> = collections.iter().map(|name| name.as_ref()).collect();
    format!(
        "  release {next} for {sequence} changes the collections {}\n  and the pages {}",
        collections.join(", "),
        first(&pages, "  ")
    )
}

fn described(sequence: Sequence, facts: Option<&SiteFacts>) -> String {
    let Some(facts) = facts else {
        return format!(
            "release {sequence}: nobody who is reached has it; --manifest is taken as it is"
        );
    };
    let (release, collections) = (&facts.release, &facts.manifest.collections);
    let records: u64 = collections
        .iter()
        .map(|collection| collection.records)
        .sum();
    format!(
        "release {sequence}: as of {}, signed {}, {} services, {records} records in {} collections",
        release.as_of.rfc3339(),
        release.signed_at.rfc3339(),
        facts.manifest.services.len(),
        collections.len()
    )
}

fn list(digests: &[Digest]) -> String {
    let each = digests.iter().map(ToString::to_string);
    each.collect::<Vec<_>>().join(" and ")
}

/// Does an edge hold the objects of a release?
struct Holds {
    site: SiteName,
    sequence: u64,
}

impl Question for Holds {
    fn place(&self) -> Place {
        Place::retained(&self.site, Sequence(self.sequence))
    }

    fn of_status(&self, site: &Value) -> Result<(), String> {
        let held = site.pointer("/store/releases").and_then(Value::as_array);
        let mut held = held.into_iter().flatten();
        match held.any(|release| release.as_u64() == Some(self.sequence)) {
            true => Ok(()),
            false => Err("it does not hold the release".to_owned()),
        }
    }

    fn of_document(&self, bytes: Option<&[u8]>) -> Result<(), String> {
        bytes
            .map(|_| ())
            .ok_or_else(|| "it does not give the release".to_owned())
    }
}
