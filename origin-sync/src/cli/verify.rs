//! `origin-sync verify`.

use clap::Args;

use super::at::ReleaseArgs;
use super::said::{line_of, print};
use super::{Failure, runtime};
use crate::exit::{Exit, TABLE};
use crate::inspect::{Depth, Verdict};

/// Whether each mirror has all of a release; with --deep, whether every byte of it is right
///
/// Every mirror is looked at for itself, and beside the others: its pointer, the release's own
/// file, who signed them, the manifest; and that each segment and component is there, as long as it
/// may be, and ends like a whole one (over HTTP, only how long it is). That is quick, and does not see what only reading shows: a
/// changed byte, or a blob that is gone. --deep reads every byte of all of them.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct VerifyArgs {
    /// Fetch everything from each mirror, check every byte against its name, count every record
    #[arg(long)]
    deep: bool,
    /// Every release that a mirror retains, not only the newest
    #[arg(long, conflicts_with = "release")]
    all: bool,
    #[command(flatten)]
    at: ReleaseArgs,
    /// Print JSON, in one line
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: VerifyArgs) -> Result<Exit, Failure> {
    let inspector = args.at.place.open()?;
    let depth = if args.deep { Depth::Deep } else { Depth::Quick };
    let runtime = runtime()?;
    let verdict = if args.all {
        runtime.block_on(inspector.verify_all(depth))?
    } else {
        runtime.block_on(inspector.verify(args.at.sequence(), depth))?
    };
    if args.json {
        print(&line_of(&verdict.json()))?;
    } else {
        print(shown(&verdict).as_bytes())?;
    }
    Ok(if verdict.is_whole() {
        Exit::Done
    } else {
        Exit::Damaged
    })
}

fn shown(verdict: &Verdict) -> String {
    let releases: Vec<String> = verdict.releases.iter().map(ToString::to_string).collect();
    let (which, releases) = match releases.as_slice() {
        [one] => ("release", one.clone()),
        all => ("releases", all.join(", ")),
    };
    let mut text = String::new();
    for mirror in &verdict.mirrors {
        let (url, objects) = (&mirror.url, mirror.objects);
        text.push_str(&match verdict.depth {
            Depth::Quick => format!("{url}: {which} {releases}, {objects} objects are there\n"),
            Depth::Deep => format!(
                "{url}: {which} {releases}, {objects} objects, {} records verified\n",
                mirror.records
            ),
        });
        for problem in &mirror.problems {
            text.push_str(&format!("  {problem}\n"));
        }
    }
    text
}
