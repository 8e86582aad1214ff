//! `edge order pin`: which release is meant.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use snapshot::order::Pin;
use snapshot::{Digest, Sequence, SiteName};
use tokio::time::Instant;

use super::Word;
use super::draft::Change;
use super::facts::SiteFacts;
use super::give::World;
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
