//! Orders that travel as text: those that wait for more signatures, and those that go by hand.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use snapshot::{Namespace, Timestamp, TrustError};

use super::mirrors::Known;
use super::preview::Preview;
use crate::cmd::ops::Settings;
use crate::cmd::ops::armor::{Label, armor};
use crate::cmd::ops::plain::plain;
use crate::cmd::{Exit, Fault};

/// Whether the signatures of an order are enough, as far as that is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They are.
    Enough,
    /// Nobody here knows who is believed.
    Unknown,
    /// More are needed.
    Lacking(Lacking),
    /// None of them counts; why.
    Refused(String),
}

/// What is lacking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lacking {
    /// Persons whose signatures count.
    pub(super) have: usize,
    /// Persons it takes.
    pub(super) need: usize,
    /// Everybody who may sign orders of the site.
    pub(super) operators: Vec<String>,
}

/// Judges the signatures of an order.
pub(super) fn standing(settings: &Settings, known: &Known, now: Timestamp) -> Standing {
    let Some(generation) = &settings.generation else {
        return Standing::Unknown;
    };
    let (namespace, site) = (Namespace::Order, &settings.site);
    let scope = Some(&known.order.scope);
    match generation.verify(&known.envelope, namespace, site, scope, now) {
        Ok(_) => Standing::Enough,
        Err(TrustError::TooFew { have, need, .. }) => {
            let keys = generation.may_sign(namespace, site).into_iter();
            let mut operators: Vec<String> = keys.map(|key| plain(&key.person)).collect();
            operators.dedup();
            Standing::Lacking(Lacking {
                have,
                need,
                operators,
            })
        }
        Err(error) => Standing::Refused(plain(&error.to_string())),
    }
}

/// Writes an order that needs more signatures, and says who may add theirs.
pub(super) fn write(
    settings: &Settings,
    known: &Known,
    preview: &Preview,
    lacking: &Lacking,
    out: Option<&Path>,
) -> Result<Exit, Fault> {
    let out = out.map_or_else(|| name(known), Path::to_owned);
    let Lacking {
        have,
        need,
        operators,
    } = lacking;
    let shown = out.display();
    let mut head =
        format!("{have} of the {need} signatures it takes. To add one, read it and run\n");
    writeln!(head, "    edge order sign {shown}").ok();
    put(&out, known, preview, &head)?;
    if settings.json {
        println!(
            "{}",
            json!({ "file": shown.to_string(), "have": have, "need": need, "operators": operators })
        );
    } else {
        let more = need.saturating_sub(*have);
        println!("not in force: it has {have} of the {need} signatures it takes");
        println!(
            "  {shown}: written; {more} more of {}",
            operators.join(", ")
        );
        println!("  each adds one with  edge order sign {shown}  (the last one sends it)");
    }
    Ok(Exit::Proposed)
}

/// Writes an order instead of sending it.
pub(super) fn finished(
    settings: &Settings,
    known: &Known,
    preview: &Preview,
    out: &Path,
) -> Result<Exit, Fault> {
    let shown = out.display();
    put(
        out,
        known,
        preview,
        &format!("Signed. To give it, run\n    edge order apply {shown}\n"),
    )?;
    if settings.json {
        println!(
            "{}",
            json!({ "file": shown.to_string(), "digest": known.digest.to_string() })
        );
    } else {
        println!("  {shown}: written, not sent; give it with  edge order apply {shown}");
    }
    Ok(Exit::Done)
}

/// What it says, for whoever is handed the file, above what is signed.
fn put(out: &Path, known: &Known, preview: &Preview, head: &str) -> Result<(), Fault> {
    let bytes = known.envelope.to_bytes().map_err(Fault::failed)?;
    // The words are a courtesy: what counts is signed, and shown again by whoever reads it.
    let text = format!(
        "{}\n{head}\n{}",
        preview.words(),
        armor(Label::Order, &bytes)
    );
    let written = snapshot::durable::write(out, text.as_bytes());
    written.map_err(|error| Fault::failed(format!("{}: {error}", out.display())))
}

/// `order-dasom-service-pay-3.txt`.
fn name(known: &Known) -> PathBuf {
    let scope = known.order.scope.to_string().replace(':', "-");
    let (site, epoch) = (&known.order.site, known.order.epoch);
    format!("order-{site}-{scope}-{epoch}.txt").into()
}
