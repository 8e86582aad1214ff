//! `edge trust`: whom the edges believe from now on. Shown, proposed, signed by enough operators, and
//! brought to the edges by any path, as orders are.
//!
//! A proposal is a succession in its envelope (`snapshot/FORMAT.md`, section 14). It travels between the
//! people who sign it as text, and to the edges behind all that came before it, as a chain.

mod apply;
mod proposal;
mod propose;
mod send;
mod show;
mod sign;
mod words;

use clap::{Args, Subcommand};

use super::ops::{Common, Settings};
use super::{Exit, Fault};

pub(super) const HELP: &str = "\
To throw a stolen key out, with the building gone:
  edge trust show --save new          # the two files as they are in force
  edit new/allowed_signers and new/trust.toml
  edge trust propose new --why \"sora's laptop was in the building\" --out proposal
  edge trust sign proposal            # whoever else has to, each with a key of their own
  edge trust apply proposal           # by all paths of ops.toml, or by one: --via URL

How many persons have to sign it says `trust` of [thresholds] in the trust.toml in force; each must be an
operator of the site there. A proposal lowers no threshold and leaves enough persons to reach each one:
for that, change the trust files on each edge, which take them up without a restart.

Exit status:
   0  done; in force on every edge that was asked
   1  it did not work; the reason is printed
   3  in force on some of the edges that were asked
   4  in force on none of them
   5  no mirror and no edge took it
   6  the proposal is written, and needs more signatures
  64  the command line, ops.toml or a trust file is wrong; nothing was signed";

#[derive(Debug, Args)]
pub(super) struct Trust {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Shows who may sign what, until when, and on which edges that is in force; of a proposal, what it
    /// changes and who has signed it.
    Show(show::Show),
    /// Makes a proposal of a folder with the two new files, says what changes, and signs it.
    Propose(propose::Propose),
    /// Adds a signature to a proposal.
    Sign(sign::Sign),
    /// Brings a proposal that enough persons signed to the edges, and says which obey.
    Apply(apply::Apply),
}

impl Trust {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let settings = Settings::resolve(&self.common)?;
        match self.what {
            What::Show(show) => show.run(&settings).await,
            What::Propose(propose) => propose.run(&settings).await,
            What::Sign(sign) => sign.run(&settings).await,
            What::Apply(apply) => apply.run(&settings).await,
        }
    }
}

#[cfg(test)]
mod tests;
