//! `edge order`: signs an order, brings it to the edges by every path, and says where it is in force.
//!
//! An order reaches the edges by any path: through mirrors, which they poll, or brought to the peer
//! listener of any one of them, which passes it on; by hand as a file or as pasted text. The edges are
//! asked at the end only to be able to say who obeys.

mod before;
mod by_hand;
mod draft;
pub(super) mod facts;
mod give;
mod mirrors;
mod notice;
mod past;
mod pin;
mod preview;
mod proposal;
mod report;
mod seal;
mod show;
mod sign;
mod spoken;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use snapshot::{Scope, limits};

use self::draft::Change;
use self::give::give;
use super::ops::confirm::Consent;
use super::ops::{Common, Settings};
use super::{Exit, Fault};
use crate::settings::parse_duration;

pub(super) const HELP: &str = "\
Every order is shown before it is given: what changes for which services and pages, until when. A forced
mode always ends, after 24 hours unless --for says otherwise; notices and pins stay until a newer order.

Examples:
  edge order degrade pay --why \"the payment hall is on fire\"
  edge order degrade site --for 2d --dry-run
  edge order notice site --text ko=\"복구 중입니다\" --text en=\"We are restoring\"
  edge order extend pay --for 6h
  edge order recover pay
  edge order recover pay --via https://busan-2.example:8443 --yes
  edge order pin 41 --why \"42 shows wrong balances\"
  edge order undo pay
  edge order show
  edge order sign order-dasom-site-7.txt
  edge order apply - < pasted.txt
  edge order degrade pay --out order.txt --epoch 8      # no path answers: somebody carries it

Mirrors and edges' peer listeners are the paths of an order; --via names one that answers. Who obeys is
asked of control listeners too, which --edge names.

Exit status:
   0  in force on every edge that was asked
   1  it did not work; the reason is printed
   3  in force on some of the edges that were asked
   4  in force on none of them
   5  no mirror and no edge took the order
   6  not in force: it needs more signatures, and was written to a file for them
  64  the command line or ops.toml is wrong, or nobody could be asked; nothing was signed";

/// How long a forced mode lasts unless --for says otherwise.
const FORCED: &str = "24h";
/// How long pages say that a service is back.
const BACK: &str = "2h";

#[derive(Debug, Args)]
pub(super) struct Order {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Answers a service from the snapshot, whatever its origin says.
    #[command(
        after_long_help = "Example:\n  edge order degrade pay --why \"double charges\" --for 6h"
    )]
    Degrade {
        /// A service, or `site` for all.
        service: String,
        /// When to give it back to the breaker by itself: 30m, 2h; at most 7d.
        #[arg(long = "for", value_name = "TIME", default_value = FORCED, value_parser = forced)]
        lasting: Duration,
        #[command(flatten)]
        word: Word,
    },
    /// Gives a service back to the breaker. Notices stay; pages say for a while that it is back.
    #[command(
        after_long_help = "Examples:\n  edge order recover pay\n  edge order recover pay --normal --for 1h --why \"the probe is wrong\""
    )]
    Recover {
        /// A service, or `site` for all.
        service: String,
        /// Force it to its origin instead, whatever the breaker says.
        #[arg(long)]
        normal: bool,
        /// Also where an edge has not seen its origin well.
        #[arg(long, requires = "normal")]
        insist: bool,
        /// When to give a forced one back to the breaker: 30m, 2h; at most 7d.
        #[arg(long = "for", value_name = "TIME", default_value = FORCED, value_parser = forced, requires = "normal")]
        lasting: Duration,
        /// How long pages say that it is back; 0s: not at all.
        #[arg(long, value_name = "TIME", default_value = BACK, value_parser = forced)]
        back_for: Duration,
        #[command(flatten)]
        word: Word,
    },
    /// Writes a notice that every page shows, or clears them.
    #[command(after_long_help = notice::HELP)]
    Notice(notice::Notice),
    /// Keeps every edge on one release, whatever is published.
    #[command(after_long_help = "Example:\n  edge order pin 41 --why \"42 shows wrong balances\"")]
    Pin(pin::PinTo),
    /// Lets the edges go on to the newest release.
    Unpin {
        #[command(flatten)]
        word: Word,
    },
    /// Lets a forced mode go on, for so long from now.
    #[command(after_long_help = "Example:\n  edge order extend pay --for 6h")]
    Extend {
        /// A service, or `site` for all.
        service: String,
        /// How long from now: 30m, 2h; at most 7d.
        #[arg(long = "for", value_name = "TIME", value_parser = forced)]
        lasting: Duration,
        #[command(flatten)]
        word: Word,
    },
    /// Goes back to what the order before the newest one said.
    #[command(
        after_long_help = "The order before is found on the mirrors, at an edge or in its log. Example:\n  edge order undo pay --dry-run"
    )]
    Undo {
        /// A service, or `site` for all.
        service: String,
        #[command(flatten)]
        word: Word,
    },
    /// Shows what is ordered, by whom, until when, and which edges obey.
    Show {
        /// Print the words for readers instead, in every language, to paste where no page reaches.
        #[arg(long)]
        text: bool,
    },
    /// Tells the orders of a service or of all, by time, as the mirrors and the edges' logs have them.
    #[command(
        after_long_help = "Examples:\n  edge order history\n  edge order history pay --since 30d --json"
    )]
    History(past::History),
    /// Adds a signature to an order in a file, and gives it once it has enough.
    #[command(
        after_long_help = "Example:\n  edge order sign order-dasom-site-7.txt --key agent:operator.pub"
    )]
    Sign(sign::Sign),
    /// Gives a signed order that came as a file or as pasted text.
    #[command(
        after_long_help = "Examples:\n  edge order apply order.txt --via https://busan-2.example:8443\n  edge order apply - --yes < pasted.txt"
    )]
    Apply(sign::Apply),
}

/// What every order carries besides its change.
#[derive(Clone, Debug, Default, Args)]
struct Word {
    /// The reason, for whoever reads the history.
    #[arg(long, default_value = "")]
    why: String,
    /// Who decides; the comment of the key if it is not said.
    #[arg(long)]
    who: Option<String>,
    /// Give the order even if the newest release knows no such service.
    #[arg(long)]
    anyway: bool,
    /// Write the signed order there instead of sending it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The order's number where no path answers: one more than the newest order's, which whoever reaches
    /// an edge reads in `edge order show`; 1 if there is none.
    #[arg(long, value_name = "N", requires = "out", value_parser = clap::value_parser!(u64).range(1..))]
    epoch: Option<u64>,
    #[command(flatten)]
    consent: Consent,
}

impl Order {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let Self { what, common } = self;
        let settings = &Settings::resolve(&common)?.caught_up().await;
        let plain = |change| async move |_: &give::World<'_>| Ok(change);
        match what {
            What::Degrade {
                service,
                lasting,
                word,
            } => {
                let change = Change::Degrade { lasting };
                give(settings, "degrade", scope(&service)?, word, plain(change)).await
            }
            What::Recover {
                service,
                normal,
                insist: insists,
                lasting,
                back_for,
                word,
            } => {
                let change = match normal {
                    true => Change::Normal {
                        lasting,
                        insists,
                        back_for,
                    },
                    false => Change::Recover { back_for },
                };
                give(settings, "recover", scope(&service)?, word, plain(change)).await
            }
            What::Notice(notice) => {
                let notice = notice.about_the_site();
                let (scope, word) = (scope(&notice.scope)?, notice.word.clone());
                let about = scope.clone();
                let change = async move |world: &give::World<'_>| {
                    let manifest = world.facts.as_ref().map(|facts| &facts.manifest);
                    notice.change(&about, manifest, world.now)
                };
                give(settings, "write a notice about", scope, word, change).await
            }
            What::Pin(pin) => {
                let (word, what) = (pin.word.clone(), "pin the release of the");
                let change = async move |world: &give::World<'_>| pin.change(world).await;
                give(settings, what, Scope::Site, word, change).await
            }
            What::Unpin { word } => {
                let what = "unpin the release of the";
                let change = async |world: &give::World<'_>| Ok(pin::unpin(world).await);
                give(settings, what, Scope::Site, word, change).await
            }
            What::Extend {
                service,
                lasting,
                word,
            } => {
                let change = Change::Extend { lasting };
                give(settings, "extend", scope(&service)?, word, plain(change)).await
            }
            What::Undo { service, word } => {
                let scope = scope(&service)?;
                let of = scope.clone();
                let change = async move |world: &give::World<'_>| past::undo(world, &of).await;
                give(settings, "undo the newest order about", scope, word, change).await
            }
            What::History(history) => history.run(settings).await,
            What::Show { text } => show::show(settings, text).await,
            What::Sign(sign) => sign.run(settings).await,
            What::Apply(apply) => apply.run(settings).await,
        }
    }
}

fn scope(target: &str) -> Result<Scope, Fault> {
    if target == "site" || target.starts_with("service:") {
        return target.parse().map_err(Fault::usage);
    }
    target.parse().map(Scope::Service).map_err(Fault::usage)
}

fn forced(text: &str) -> Result<Duration, String> {
    let most = Duration::from_millis(limits::FORCED_MS);
    let read = parse_duration(text).filter(|lasting| *lasting <= most);
    read.ok_or_else(|| "expected a whole number and ms, s, m, h or d, at most 7d".to_owned())
}

#[cfg(test)]
mod tests;
