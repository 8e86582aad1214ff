//! `edge order sign` and `edge order apply`: an order that came as a file, or as pasted text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use snapshot::{Envelope, limits};

use super::facts::SiteFacts;
use super::give::{bring, described, wanted};
use super::mirrors::{self, Held, Known};
use super::preview::Preview;
use super::proposal::{self, Standing};
use super::seal::add_signature;
use crate::cmd::ops::Settings;
use crate::cmd::ops::armor::{self, Label};
use crate::cmd::ops::confirm::{Consent, confirm};
use crate::cmd::ops::key::load_key;
use crate::cmd::{Exit, Fault};
use crate::sync::wall_clock;

#[derive(Clone, Debug, Args)]
pub(super) struct Sign {
    /// The order; `-` reads what is pasted.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the order there, and do not send it even if it has all its signatures.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Apply {
    /// The order; `-` reads what is pasted.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    consent: Consent,
}

impl Sign {
    pub(super) async fn run(self, settings: &Settings) -> Result<Exit, Fault> {
        let (known, held, preview) = read(settings, &self.file).await?;
        preview.show(settings, self.consent.dry_run);
        if self.consent.dry_run {
            return Ok(Exit::Done);
        }
        confirm(
            self.consent,
            "sign this order",
            wanted(settings, &known.order.scope),
        )
        .await?;
        let signer = load_key(settings).await?;
        let before = known.envelope.signatures().len();
        let envelope = add_signature(Arc::clone(&signer), known.envelope.clone()).await?;
        let is_new = envelope.signatures().len() > before;
        let known = Known { envelope, ..known };
        if !is_new && !settings.json {
            println!("this key had signed it already");
        }
        let target = self.out.clone().or_else(|| {
            let is_file = self.file != Path::new("-");
            is_file.then(|| self.file.clone())
        });
        match proposal::standing(settings, &known, wall_clock()) {
            Standing::Refused(why) => {
                let message = format!("no signature of it counts: {why}");
                Err(Fault::failed(message).hint("name the right key with --key"))
            }
            Standing::Lacking(lacking) => {
                proposal::write(settings, &known, &preview, &lacking, target.as_deref())
            }
            Standing::Enough if self.out.is_none() => bring(settings, &held, &known).await,
            // Nobody here knows how many it takes: whoever does sends it.
            Standing::Enough | Standing::Unknown => match target {
                Some(out) => proposal::finished(settings, &known, &preview, &out),
                None => bring(settings, &held, &known).await,
            },
        }
    }
}

impl Apply {
    pub(super) async fn run(self, settings: &Settings) -> Result<Exit, Fault> {
        settings.paths()?;
        let (known, held, preview) = read(settings, &self.file).await?;
        preview.show(settings, self.consent.dry_run);
        match proposal::standing(settings, &known, wall_clock()) {
            Standing::Lacking(lacking) => {
                let (have, need) = (lacking.have, lacking.need);
                let message = format!("it has {have} of the {need} signatures it takes");
                let operators = lacking.operators.join(", ");
                let file = self.file.display();
                let hint = format!("one of {operators} adds one with  edge order sign {file}");
                return Err(Fault::failed(message).hint(hint));
            }
            Standing::Refused(why) => {
                let message = format!("no edge with these trust files would obey it: {why}");
                return Err(
                    Fault::failed(message).hint("ask whoever sent it; --trust names other files")
                );
            }
            Standing::Enough | Standing::Unknown => {}
        }
        if self.consent.dry_run {
            return Ok(Exit::Done);
        }
        confirm(
            self.consent,
            "give this order",
            wanted(settings, &known.order.scope),
        )
        .await?;
        bring(settings, &held, &known).await
    }
}

/// The order, what is in force as far as a path tells, and what the order changes.
async fn read(settings: &Settings, file: &Path) -> Result<(Known, Held, Preview), Fault> {
    let source = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        armor::read(&source, Label::Order, limits::ENVELOPE_BYTES)
    });
    let bytes = reading.await.map_err(Fault::failed)??;
    let shown = file.display();
    let envelope = Envelope::from_bytes(&bytes)
        .map_err(|error| Fault::failed(format!("{shown}: no order: {error}")))?;
    let known = Known::of(&envelope)
        .ok_or_else(|| Fault::failed(format!("{shown}: what is signed in it is no order")))?;
    let site = &known.order.site;
    if *site != settings.site {
        let message = format!(
            "{shown}: an order for site {site}, and this is {}",
            settings.site
        );
        return Err(Fault::usage(message).hint("name the ops.toml of that site with --ops"));
    }
    let now = wall_clock();
    // Whoever only signs may be where no path is reached.
    let held = mirrors::read_all(settings).await.unwrap_or_default();
    let newest = held.newest(&known.order.scope);
    if let Some(newest) = newest.filter(|newest| newest.rank() > known.rank()) {
        let words = described(newest);
        let fault = Fault::failed(format!("{shown}: too late, there is {words}"));
        return Err(fault.hint("make the change anew, on top of that one"));
    }
    let facts = SiteFacts::read(settings, now).await;
    let preview = Preview::of(&known.order, facts.as_ref(), &held, now);
    Ok((known, held, preview))
}
