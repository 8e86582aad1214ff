//! `origin-sync rollback`.

use clap::Args;
use snapshot::Sequence;

use super::press::{PressArgs, open, progress, show};
use super::{Failure, runtime};
use crate::exit::{Exit, TABLE};
use crate::inspect::Inspector;
use crate::publish::wall_clock;

/// Publish what an earlier release held, under a new number
///
/// A new release, under a new number, with the very manifest of release N: its records, components,
/// routes and canaries, and the time that they are true of. No source is read. Its canaries are asked
/// first, with no origin in reach. What of it this machine or a mirror lacks comes from any mirror
/// that has it; what none has is named, and nothing is published. Edges take it like any other
/// release; the next `origin-sync publish` publishes again what the sources hold.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct RollbackArgs {
    /// The number of the release to go back to, as `origin-sync log` lists it
    #[arg(long, value_name = "N")]
    to: u64,
    #[command(flatten)]
    press: PressArgs,
    /// Go back although a collection loses more than 30 per cent of its records by it; the manifest
    /// then says so to edges, and is another one in that alone
    #[arg(long)]
    accept_shrink: bool,
    /// End with one line of JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: RollbackArgs) -> Result<Exit, Failure> {
    let site = args.press.declared()?;
    let signer = args.press.key(&site)?;
    let publisher = open(site, &signer)?;
    let runtime = runtime()?;
    let mirrors = &publisher.mirrors;
    let inspector = Inspector::new(mirrors.clone(), publisher.trust.clone(), wall_clock())?;
    let given = runtime.block_on(inspector.release(Some(Sequence(args.to))))?;
    let progress = progress();
    let again = publisher.again(&given, mirrors, args.accept_shrink, wall_clock, &*progress);
    let done = runtime.block_on(again);
    progress.done();
    let report = done?;
    show(&report, args.json.then(|| report.json()));
    Ok(report.exit)
}
