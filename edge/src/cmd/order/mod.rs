//! `edge order`: signs an order, writes it to the mirrors, and says where it is in force.
//!
//! An order reaches the edges by any path: through mirrors, which they poll, or brought to the peer
//! listener of any one of them, which passes it on. The edges are asked at the end only to be able to
//! say who obeys.

mod draft;
mod mirrors;
mod notice;
mod report;
mod site;
mod watch;

use std::time::Duration;

use clap::{Args, Subcommand};
use snapshot::{Envelope, Namespace, Scope, Signer, encode};

use self::draft::{Change, Draft};
use self::report::{Given, Shown};
use self::site::SiteFacts;
use self::watch::{AllOrders, OneOrder};
use super::ops::obeying::{Obedience, obeying};
use super::ops::{Common, Settings};
use super::{Exit, Fault};
use crate::settings::parse_duration;
use crate::signing::KeySource;
use crate::sync::wall_clock;

pub(super) const HELP: &str = "\
Examples:
  edge order degrade pay --why \"the payment hall is on fire\"
  edge order notice site --text ko=\"복구 중입니다\" --text en=\"We are restoring\"
  edge order recover pay
  edge order recover pay --via https://busan-2.example:8443
  edge order show

Exit status:
   0  in force on every edge that was asked
   1  it did not work; the reason is printed
   3  in force on some of the edges that were asked
   4  in force on none of them
   5  no mirror and no edge took the order
  64  the command line or ops.toml is wrong; nothing was signed";

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
    Degrade {
        /// A service, or `site` for all.
        service: String,
        /// When to give it back to the breaker by itself: 30m, 2h.
        #[arg(long = "for", value_name = "TIME", value_parser = wait_long)]
        lasting: Option<Duration>,
        #[command(flatten)]
        word: Word,
    },
    /// Gives a service back to the breaker. Notices stay.
    Recover {
        /// A service, or `site` for all.
        service: String,
        /// Force it to its origin instead, whatever the breaker says.
        #[arg(long)]
        normal: bool,
        #[command(flatten)]
        word: Word,
    },
    /// Writes a notice that every page shows, or clears them.
    Notice(notice::Notice),
    /// Shows the orders on the mirrors, and the edges that have them in force.
    Show,
}

/// What every order carries besides its change.
#[derive(Clone, Debug, Args)]
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
}

impl Order {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let Self { what, common } = self;
        let settings = Settings::resolve(&common)?;
        match what {
            What::Show => show(&settings).await,
            What::Degrade {
                service,
                lasting,
                word,
            } => {
                give(&settings, &service, word, async |_| {
                    Ok(Change::Degrade { lasting })
                })
                .await
            }
            What::Recover {
                service,
                normal,
                word,
            } => {
                give(&settings, &service, word, async |_| {
                    Ok(Change::Recover { normal })
                })
                .await
            }
            What::Notice(notice) => {
                let (scope, word) = (notice.scope.clone(), notice.word.clone());
                give(
                    &settings,
                    &scope,
                    word,
                    async |facts: Option<&SiteFacts>| notice.change(facts),
                )
                .await
            }
        }
    }
}

async fn give(
    settings: &Settings,
    target: &str,
    word: Word,
    change: impl AsyncFnOnce(Option<&SiteFacts>) -> Result<Change, Fault>,
) -> Result<Exit, Fault> {
    let scope = scope(target)?;
    let signer = load_key(settings.key()?).await?;
    let facts = SiteFacts::read(settings).await;
    if !word.anyway {
        known(&scope, facts.as_ref())?;
    }
    let change = change(facts.as_ref()).await?;
    let held = mirrors::read_all(settings).await?;
    let previous = held.newest(&scope);
    let comment = signer
        .public_key()
        .comment()
        .as_str_lossy()
        .trim()
        .to_owned();
    let who = word.who.unwrap_or(comment);
    let order = Draft {
        site: settings.site.clone(),
        scope: scope.clone(),
        change,
        who: if who.is_empty() {
            "operator".to_owned()
        } else {
            who
        },
        why: word.why,
        now: wall_clock(),
    }
    .order(previous)?;
    let envelope = sign(signer, &order).await?;
    let digest = envelope.payload_digest();
    let begun = tokio::time::Instant::now();
    let written = mirrors::write_all(settings, &held, envelope).await;
    let mut given = Given {
        site: settings.site.clone(),
        previous: previous.map(|known| known.order.clone()),
        order,
        digest,
        written,
        obedience: Obedience::default(),
    };
    if given.written.iter().all(|mirror| mirror.error.is_some()) {
        given.print(settings.json);
        return Err(Fault::new(
            Exit::NoMirror,
            "no mirror and no edge took the order: nobody will see it",
        )
        .hint("see the reasons above; give another path with --via URL"));
    }
    given.announce(settings.json);
    let question = OneOrder::new(&given.order, given.digest);
    given.obedience = obeying(settings, &question, begun, settings.wait).await;
    given.print(settings.json);
    Ok(given.obedience.exit())
}

async fn show(settings: &Settings) -> Result<Exit, Fault> {
    let held = mirrors::read_all(settings).await?;
    let question = AllOrders::new(&settings.site, &held);
    let now = tokio::time::Instant::now();
    let obedience = obeying(settings, &question, now, Duration::ZERO).await;
    let exit = obedience.exit();
    Shown {
        site: settings.site.clone(),
        held,
        obedience,
        now: wall_clock(),
    }
    .print(settings.json);
    Ok(exit)
}

fn scope(target: &str) -> Result<Scope, Fault> {
    if target == "site" || target.starts_with("service:") {
        return target.parse().map_err(Fault::usage);
    }
    target.parse().map(Scope::Service).map_err(Fault::usage)
}

fn known(scope: &Scope, facts: Option<&SiteFacts>) -> Result<(), Fault> {
    let (Scope::Service(name), Some(facts)) = (scope, facts) else {
        return Ok(());
    };
    if facts.services.contains(name) {
        return Ok(());
    }
    let names: Vec<&str> = facts.services.iter().map(AsRef::as_ref).collect();
    let message = format!(
        "release {} of this site has no service {name}: it has {}",
        facts.sequence,
        names.join(", ")
    );
    Err(Fault::usage(message).hint("name one of these, or add --anyway"))
}

async fn load_key(source: &KeySource) -> Result<Box<dyn Signer>, Fault> {
    let source = source.clone();
    let loaded = tokio::task::spawn_blocking(move || source.load()).await;
    let loaded = loaded.map_err(Fault::failed)?;
    loaded.map_err(|error| Fault::failed(format!("the operator's key: {error}")))
}

async fn sign(signer: Box<dyn Signer>, order: &snapshot::Order) -> Result<Envelope, Fault> {
    let mut envelope = Envelope::seal(encode(order).map_err(Fault::failed)?);
    let signed = tokio::task::spawn_blocking(move || {
        envelope.sign_with(signer.as_ref(), Namespace::Order)?;
        Ok::<_, snapshot::SignError>(envelope)
    });
    let signed = signed.await.map_err(Fault::failed)?;
    signed.map_err(|error| Fault::failed(format!("the order was not signed: {error}")))
}

fn wait_long(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| "expected a whole number and ms, s, m, h or d, as in 30m".to_owned())
}

#[cfg(test)]
mod tests;
