//! `edge order`: signs an order, writes it to the mirrors, and says where it is in force.
//!
//! An order reaches the edges by any path: through mirrors, which they poll, or brought to the peer
//! listener of any one of them, which passes it on. The edges are asked at the end only to be able to
//! say who obeys.

mod draft;
mod edges;
mod mirrors;
mod report;
mod settings;
mod site;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use snapshot::{Envelope, Namespace, Scope, Signer, encode};

use self::draft::{Change, Draft};
use self::edges::EdgeAnswer;
use self::report::{Given, Shown};
use self::settings::Settings;
use self::site::SiteFacts;
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

/// Longest wait for the edges.
const WAIT_MOST: Duration = Duration::from_secs(600);

#[derive(Debug, Args)]
pub(super) struct Order {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// Settings for these commands: site, mirrors, peers, authority, edges, key, trust.
    #[arg(long, value_name = "FILE", env = "HOLDFAST_OPS", global = true)]
    ops: Option<PathBuf>,
    /// The site the order is about.
    #[arg(long, value_name = "NAME", global = true)]
    site: Option<String>,
    /// A mirror to write to: file:///PATH or a folder. May be given several times.
    #[arg(long = "mirror", value_name = "URL", global = true)]
    mirrors: Vec<String>,
    /// The only path to take: a mirror, or an edge's peer listener (https:// or http://). May be given
    /// several times.
    #[arg(long, value_name = "URL", global = true, conflicts_with = "mirrors")]
    via: Vec<String>,
    /// The operator's key: a file, agent:SHA256:..., agent:FILE.pub or env:NAME.
    #[arg(long, value_name = "SOURCE", global = true)]
    key: Option<String>,
    /// An edge's control listener, asked whether the order is in force. May be given several times.
    #[arg(long = "edge", value_name = "URL", global = true)]
    edges: Vec<String>,
    /// Trust files: orders on the mirrors that nobody in them signed are passed over.
    #[arg(long, value_name = "DIR", global = true)]
    trust: Option<PathBuf>,
    /// How long to wait for the edges.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = wait, global = true)]
    wait: Duration,
    /// Print one JSON object instead of words.
    #[arg(long, global = true)]
    json: bool,
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
    Notice {
        /// A service, or `site`.
        scope: String,
        /// The words, in the language of --language.
        #[arg(value_name = "TEXT", conflicts_with = "text")]
        words: Vec<String>,
        /// The language of TEXT; the site's first language if it is not said.
        #[arg(long, value_name = "LANGUAGE", requires = "words")]
        language: Option<String>,
        /// Words in one language: ko=..., en=... May be given several times.
        #[arg(long, value_name = "LANGUAGE=TEXT")]
        text: Vec<String>,
        /// Take all notices of this scope away.
        #[arg(long, conflicts_with_all = ["words", "text"])]
        clear: bool,
        #[command(flatten)]
        word: Word,
    },
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
            What::Notice {
                scope,
                words,
                language,
                text,
                clear,
                word,
            } => {
                give(
                    &settings,
                    &scope,
                    word,
                    async |facts: Option<&SiteFacts>| {
                        if clear {
                            return Ok(Change::ClearNotices);
                        }
                        draft::notice(&words, language, &text, facts)
                    },
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
        edges: Vec::new(),
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
    given.edges = edges::await_order(settings, &given, begun).await;
    given.print(settings.json);
    Ok(ending(&given.edges))
}

async fn show(settings: &Settings) -> Result<Exit, Fault> {
    let held = mirrors::read_all(settings).await?;
    let edges = edges::ask_all(settings, &held).await;
    let exit = ending(&edges);
    Shown {
        site: settings.site.clone(),
        held,
        edges,
        now: wall_clock(),
    }
    .print(settings.json);
    Ok(exit)
}

fn ending(edges: &[EdgeAnswer]) -> Exit {
    let obeying = edges.iter().filter(|edge| edge.in_force).count();
    match obeying {
        n if n == edges.len() => Exit::Done,
        0 => Exit::NoEdge,
        _ => Exit::SomeEdges,
    }
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

fn wait(text: &str) -> Result<Duration, String> {
    match wait_long(text) {
        Ok(wait) if wait <= WAIT_MOST => Ok(wait),
        _ => Err("expected a whole number and ms, s or m, at most 10m".to_owned()),
    }
}

fn wait_long(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| "expected a whole number and ms, s, m, h or d, as in 30m".to_owned())
}

#[cfg(test)]
mod tests;
