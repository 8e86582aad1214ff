//! `edge report`: the account of an outage, from the logs of all edges.

mod account;
mod alarms;
mod also;
mod episode;
pub(super) mod gather;
mod html;
mod strip;

#[cfg(test)]
mod tests;
mod text;
mod told;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use snapshot::Timestamp;
use url::Url;

use self::account::Telling;
use self::told::Account;
use super::{Exit, Fault};
use crate::config::ops::{Ops, parse_edge};
use crate::sync::wall_clock;

pub(super) const HELP: &str = "\
Examples:
  edge report --ops ops.toml --from 2026-11-30T14:00Z --to 2026-11-30T18:00Z
  edge report --ops ops.toml --from 2026-11-30T23:00+09:00 --format html --out outage.html
  edge report --edge http://127.0.0.1:8081 --reference BDFG-HJKL

It asks the control listener of every edge for its log and puts them together: who answered for each
service and why, how old what readers were shown was, which writes were refused, which orders were given
by whom and how they came, which forced modes ended, releases, trust, alarms.

Exit status:
   0  every edge was heard
   1  it did not work; the reason is printed
   3  some edges were not heard: the account says which
   4  no edge was heard
  64  the command line or ops.toml is wrong";

/// How far back an account goes, unless said otherwise.
const BACK_MS: u64 = 24 * 3600 * 1000;

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Settings for these commands, of which site and edges count here. `ops.toml` beside you is read
    /// without being named.
    #[arg(long, value_name = "FILE", env = "HOLDFAST_OPS")]
    ops: Option<PathBuf>,
    /// An edge's control listener. May be given several times; ops.toml's edges otherwise.
    #[arg(long = "edge", value_name = "URL")]
    edges: Vec<String>,
    /// Of this site alone; ops.toml's otherwise, and every site if neither says.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// From this time on, as in 2026-11-30T14:00Z; a day before the end if it is not said.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Before this time; now if it is not said.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where it is written; standard output if it is not said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only find the refused write with this reference, which a reader was shown.
    #[arg(long, value_name = "REFERENCE", conflicts_with_all = ["format", "out"])]
    reference: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// One JSON object.
    Json,
    /// A page that needs nothing else.
    Html,
}

impl Report {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let here = Path::new("ops.toml");
        let ops = match &self.ops {
            Some(path) => Ops::load(path)?,
            None if self.edges.is_empty() && here.is_file() => Ops::load(here)?,
            None => Ops::default(),
        };
        let given = self.edges.iter();
        let given = given.map(|edge| parse_edge(edge).map_err(Fault::usage));
        let edges: Vec<Url> = match self.edges.as_slice() {
            [] => {
                for edge in ops.edges.iter().filter(|edge| edge.control.is_none()) {
                    let peer = edge.peer.as_ref().map_or("", |peer| peer.as_str());
                    eprintln!("edge: {peer} is not asked: no control listener of it is named");
                }
                ops.edges
                    .into_iter()
                    .filter_map(|edge| edge.control)
                    .collect()
            }
            _ => given.collect::<Result<_, _>>()?,
        };
        if edges.is_empty() {
            let fault = Fault::usage("no edge to ask");
            return Err(fault.hint("give --edge URL, or edges in ops.toml"));
        }
        let to = self.to.unwrap_or_else(wall_clock);
        let back = Timestamp(to.0.saturating_sub(BACK_MS));
        let from = self.from.unwrap_or(back);
        if from >= to {
            let (from, to) = (from.rfc3339(), to.rfc3339());
            return Err(Fault::usage(format!(
                "--from {from} is not before --to {to}"
            )));
        }
        let site = self.site.or_else(|| ops.site.map(|site| site.to_string()));
        if let Some(reference) = &self.reference {
            return find(reference, &edges, (from, to), site.as_deref()).await;
        }
        let mut telling = Telling::new(from);
        let take = |place, entry| telling.take(place, entry);
        let heard = gather::gather(&edges, (from, to), site.as_deref(), take).await;
        let account = telling.account(heard, to);
        let written = match self.format {
            Format::Text => text::text(&account),
            Format::Html => html::html(&account),
            Format::Json => {
                let json = serde_json::to_string(&account).map_err(Fault::failed)?;
                json + "\n"
            }
        };
        match &self.out {
            None => print!("{written}"),
            Some(path) => {
                fs_err::write(path, written).map_err(Fault::failed)?;
                eprintln!("{}: written", path.display());
            }
        }
        Ok(exit(&account))
    }
}

fn exit(account: &Account) -> Exit {
    let heard = account
        .edges
        .iter()
        .filter(|edge| edge.error.is_none())
        .count();
    for edge in account.edges.iter().filter(|edge| edge.error.is_some()) {
        let error = edge.error.as_deref().unwrap_or_default();
        eprintln!("edge: {} was not heard: {error}", edge.url);
    }
    ended(heard, account.edges.len())
}

const fn ended(heard: usize, all: usize) -> Exit {
    match heard {
        0 => Exit::NoEdge,
        heard if heard < all => Exit::SomeEdges,
        _ => Exit::Done,
    }
}

/// Finds the write that a reader tells of.
async fn find(
    reference: &str,
    edges: &[Url],
    times: (Timestamp, Timestamp),
    site: Option<&str>,
) -> Result<Exit, Fault> {
    let bare = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_uppercase()).collect()
    };
    let (wanted, mut found) = (bare(reference), Vec::new());
    let heard = gather::gather(edges, times, site, |place, entry| {
        use crate::log::Event::{WriteRefused, WriteUnknown};
        let (told, what) = match &entry.event {
            WriteRefused {
                reference,
                route,
                service,
            } => (
                reference,
                format!("{route} of {service}: refused, nothing of it was kept"),
            ),
            WriteUnknown {
                reference,
                route,
                service,
            } => (
                reference,
                format!("{route} of {service}: it may have arrived at the origin"),
            ),
            _ => return,
        };
        if bare(told) == wanted {
            found.push((place, format!("{told} at {}: {what}", entry.at)));
        }
    })
    .await;
    let unheard: Vec<_> = heard.iter().filter(|edge| edge.error.is_some()).collect();
    for (place, words) in &found {
        let edge = heard.get(*place).map(|edge| {
            let url = edge.url.to_string();
            edge.name.clone().unwrap_or(url)
        });
        println!("{words} (on {})", edge.unwrap_or_default());
    }
    for edge in &unheard {
        let error = edge.error.as_deref().unwrap_or_default();
        eprintln!("edge: {} was not heard: {error}", edge.url);
    }
    if found.is_empty() {
        let fault = Fault::failed(format!("no edge that was heard knows {reference}"));
        return Err(
            fault.hint("give the time with --from and --to; logs are kept for a while only")
        );
    }
    Ok(ended(heard.len() - unheard.len(), heard.len()))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "expected a time, as in 2026-11-30T14:00Z".to_owned())
}
