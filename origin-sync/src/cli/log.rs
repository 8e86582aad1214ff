//! `origin-sync log`.

use clap::Args;

use super::at::PlaceArgs;
use super::said::{lines_of, print};
use super::{Failure, runtime, shown};
use crate::exit::{Exit, TABLE};
use crate::inspect::ReleaseLine;

/// Releases, newest first: number, time, signers, mirrors, and what each changed
///
/// What a release changed is told beside the release before it on the mirrors: records of each
/// collection that says something else (not of those whose segments were only merged), and how many
/// objects it brought (segments, the blobs that new segments name, components, the manifest), with
/// their bytes as they are on a mirror. Of the oldest release everything is new; its blobs alone
/// are not counted: `du` counts them.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct LogArgs {
    /// At most this many
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    last: usize,
    #[command(flatten)]
    place: PlaceArgs,
    /// Print JSON, one line for each release
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: LogArgs) -> Result<Exit, Failure> {
    let inspector = args.place.open()?;
    let (lines, wrong) = runtime()?.block_on(inspector.log(args.last))?;
    for wrong in wrong {
        eprintln!("warning: {wrong}");
    }
    print(&lines_of(
        &lines,
        args.json,
        ReleaseLine::json,
        shown::release,
    ))?;
    Ok(Exit::Done)
}
