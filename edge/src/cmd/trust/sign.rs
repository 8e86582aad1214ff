//! `edge trust sign`: one more person stands behind a proposal.

use std::path::{Path, PathBuf};

use clap::Args;

use super::proposal::{Proposal, Standing};
use crate::cmd::ops::Settings;
use crate::cmd::ops::confirm::{Consent, Wanted, confirm};
use crate::cmd::ops::generations::Generations;
use crate::cmd::ops::key::load_key;
use crate::cmd::ops::plain::plain;
use crate::cmd::{Exit, Fault};
use crate::sync::wall_clock;

/// Adds a signature.
#[derive(Debug, Args)]
pub(super) struct Sign {
    /// The proposal; `-` reads what is pasted and prints it with the signature.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where it is written with the signature; without it, to the same file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    consent: Consent,
}

impl Sign {
    pub(super) async fn run(self, settings: &Settings) -> Result<Exit, Fault> {
        let mut proposal = Proposal::read(&self.file, settings)?;
        let known = Generations::read(settings).await?;
        eprint!("{}", proposal.preview(&known, wall_clock()));
        if self.consent.dry_run {
            return Ok(Exit::Done);
        }
        confirm(self.consent, "your signature", Wanted::Yes).await?;
        let lineage = known.lineage.as_ref();
        let standing = |of: &Proposal| lineage.map(|known| of.standing(known, &settings.site));
        let before = standing(&proposal).map_or(0, |standing| standing.persons());
        proposal.sign(load_key(settings).await?).await?;
        let to = self.out.as_deref().unwrap_or(&self.file);
        let standing = standing(&proposal);
        if let Some(Standing::Refused(refusal)) = standing {
            let fault = Fault::failed(format!(
                "edges would refuse it: {}",
                plain(&refusal.to_string())
            ));
            return Err(fault.hint("nothing was written; see who may sign with edge trust show"));
        }
        if standing
            .as_ref()
            .is_some_and(|after| after.persons() <= before)
        {
            let message = "this signature adds nobody: its key is no operator's, or its owner has signed already";
            let fault = Fault::failed(message);
            return Err(fault.hint("nothing was written; see who may sign with edge trust show"));
        }
        proposal.write(Some(to))?;
        let shown = match to == Path::new("-") {
            true => "FILE".to_owned(),
            false => to.display().to_string(),
        };
        let Some(standing) = standing else {
            eprintln!("signed; whether that is enough only edges, or --trust DIR, can tell");
            return Ok(Exit::Done);
        };
        eprint!("{}", standing.words(&shown));
        Ok(standing.exit())
    }
}
