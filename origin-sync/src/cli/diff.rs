//! `origin-sync diff`.

use clap::Args;
use snapshot::Sequence;

use super::at::PlaceArgs;
use super::said::{line_of, print};
use super::{Failure, runtime, shown};
use crate::exit::{Exit, TABLE};

/// What release B has that release A has not: records added, changed and removed
///
/// Values are never shown, nor keys of private collections: of those, only how many differ.
/// Collections that the two releases share are not fetched.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct DiffArgs {
    /// The number of the release that is compared with
    a: u64,
    /// The number of the other
    b: u64,
    /// Only this collection
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// The keys too, of public collections: + added, ~ changed, - removed
    #[arg(long)]
    keys: bool,
    #[command(flatten)]
    place: PlaceArgs,
    /// Print JSON, in one line
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: DiffArgs) -> Result<Exit, Failure> {
    let inspector = args.place.open()?;
    let (a, b) = (Sequence(args.a), Sequence(args.b));
    let found = inspector.diff(a, b, args.collection.as_deref(), args.keys);
    let found = runtime()?.block_on(found)?;
    if args.json {
        print(&line_of(&found.json()))?;
    } else {
        print(shown::difference(&found).as_bytes())?;
    }
    Ok(Exit::Done)
}
