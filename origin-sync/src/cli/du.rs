//! `origin-sync du`.

use std::fmt::Write;

use clap::Args;

use super::at::PlaceArgs;
use super::said::{lines_of, print};
use super::{Failure, runtime};
use crate::exit::{Exit, TABLE};
use crate::inspect::{Cost, Usage};

/// What each retained release, collection and kind of object costs on each mirror
///
/// Bytes are counted as they are on the mirror, segments compressed. A release's own bytes are what
/// no other retained release names: what would be freed if it went. A blob belongs to each release
/// one of whose segments names it. What no retained release names at all is told too; a mirror that
/// is read over HTTP cannot list it. Segments are fetched once, to find the blobs that they name;
/// blobs are not.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct DuArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Print JSON, one line for each mirror
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: DuArgs) -> Result<Exit, Failure> {
    let inspector = args.place.open()?;
    let (usages, wrong) = runtime()?.block_on(inspector.du())?;
    for wrong in wrong {
        eprintln!("warning: {wrong}");
    }
    print(&lines_of(&usages, args.json, Usage::json, shown))?;
    Ok(Exit::Done)
}

fn shown(usage: &Usage) -> String {
    // Writing to a String cannot fail.
    let mut text = format!("{}\n", usage.url);
    let mut line = |name: &str, cost: Cost, more: &str| {
        let Cost { objects, bytes } = cost;
        let _ = writeln!(
            text,
            "  {name:<24} {bytes:>14} bytes {objects:>9} objects{more}"
        );
    };
    for release in &usage.releases {
        let own = release.own;
        let mut more = format!("   own {} bytes in {} objects", own.bytes, own.objects);
        if release.missing > 0 {
            let _ = write!(more, "; {} missing", release.missing);
        }
        line(&format!("release {}", release.sequence), release.all, &more);
    }
    for (name, cost) in &usage.collections {
        line(&format!("collection {name}"), *cost, "");
    }
    for (of, cost) in &usage.uses {
        line(of.as_str(), *cost, "");
    }
    line("in all", usage.total, "");
    if let Some(unnamed) = usage.unnamed {
        line("that no release names", unnamed, "");
    }
    text.truncate(text.trim_end().len());
    text
}
