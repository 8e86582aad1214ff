//! `edge trust propose`: two new files become a proposal.

use std::path::PathBuf;

use clap::Args;
use snapshot::trust::{Succession, followed_by};

use super::proposal::{Proposal, Standing};
use crate::cmd::ops::Settings;
use crate::cmd::ops::generations::{Generations, told_number};
use crate::cmd::ops::key::load_key;
use crate::cmd::ops::plain::plain;
use crate::cmd::{Exit, Fault};
use crate::config::trust;
use crate::sync::wall_clock;

/// Makes a proposal.
#[derive(Debug, Args)]
pub(super) struct Propose {
    /// The folder with the two new files, allowed_signers and trust.toml.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Where the proposal is written; without it, to standard output, ready to be pasted elsewhere.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The reason, for whoever signs it and reads the history.
    #[arg(long, default_value = "")]
    why: String,
    /// Who proposes it; without it, whose key it is.
    #[arg(long)]
    who: Option<String>,
    /// Do not sign it yet.
    #[arg(long)]
    unsigned: bool,
}

impl Propose {
    pub(super) async fn run(self, settings: &Settings) -> Result<Exit, Fault> {
        let known = Generations::read(settings).await?;
        let lineage = known.lineage()?;
        let files = trust::read_files(&self.dir);
        let files = files.map_err(|problems| Fault::usage(problems.join("\nedge: ")))?;
        let (before, dir) = (lineage.generation(), self.dir.display());
        if files.digest() == before.digest() {
            let fault = Fault::usage(format!("{dir}: these files are in force already"));
            return Err(fault.hint("edit them, then propose again"));
        }
        followed_by(before, &files, &settings.site).map_err(|refusal| {
            let fault = Fault::usage(format!("{dir}: edges would refuse it: {refusal}"));
            fault.hint(
                "correct the files; what no proposal can do, the trust files on each edge can",
            )
        })?;
        let number = lineage.number().max(told_number(settings).await);
        let signer = match self.unsigned {
            true => None,
            false => Some(load_key(settings).await?),
        };
        let owner = signer.as_ref().map(|signer| {
            let comment = signer.public_key().comment().as_str_lossy();
            comment.trim().to_owned()
        });
        let who = self.who.or(owner).filter(|who| !who.is_empty());
        let succession = Succession {
            version: Succession::VERSION,
            site: settings.site.clone(),
            number: number.saturating_add(1),
            follows: before.digest(),
            allowed_signers: files.allowed_signers,
            trust_toml: files.trust_toml,
            who: who.unwrap_or_else(|| "operator".to_owned()),
            why: self.why,
            signed_at: wall_clock(),
        };
        let mut proposal = Proposal::new(succession)?;
        eprint!("{}", proposal.preview(&known, wall_clock()));
        if let Some(signer) = signer {
            proposal.sign(signer).await?;
        }
        let standing = proposal.standing(lineage, &settings.site);
        if let Standing::Refused(refusal) = standing {
            let fault = Fault::failed(format!(
                "edges would refuse it: {}",
                plain(&refusal.to_string())
            ));
            return Err(fault.hint("sign with an operator's key: --key, or key in ops.toml"));
        }
        proposal.write(self.out.as_deref())?;
        let file = self
            .out
            .as_ref()
            .map_or("FILE".to_owned(), |path| path.display().to_string());
        eprint!("{}", standing.words(&file));
        Ok(standing.exit())
    }
}
