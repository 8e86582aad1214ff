//! `origin-sync sweep`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use snapshot::Store;

use super::press::{mirrors, progress};
use super::said::{line_of, print};
use super::{Failure, runtime};
use crate::config::Site;
use crate::exit::{Exit, TABLE};
use crate::mirror::Mirrors;
use crate::publish::{PublishError, read_trust, wall_clock};
use crate::sweep::Sweep;

/// Take away releases that are old, and what they alone named.
///
/// [retention] in site.toml says what stays: `releases = 20` of the newest, and those `younger`
/// than 1h; so does what a pin of ops' orders or a mirror's pointer names. What none of these names
/// goes from every mirror and from the publisher's own copy once it is older than the `grace` of
/// 1h, by the mirror's own clock. `publish` does the same by itself, at most `every` 1h and for no
/// more than a tenth of the time; `sweep = false` leaves it to this command. Publishers may publish
/// meanwhile, from elsewhere. Names that are none of ours are told and left; so is all of a mirror
/// that fails. The grace must be longer than two publishes take.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct SweepArgs {
    /// The site's declaration
    #[arg(long, value_name = "FILE", default_value = "site.toml")]
    config: PathBuf,
    /// A mirror instead of those in site.toml: a folder or a file:// URL; may be repeated
    #[arg(long = "mirror", value_name = "URL")]
    mirrors: Vec<String>,
    /// The folder with allowed_signers and trust.toml, instead of the one in site.toml
    #[arg(long, value_name = "DIR")]
    trust: Option<PathBuf>,
    /// Tell what would go, and take nothing away
    #[arg(long)]
    dry_run: bool,
    /// End with one line of JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: SweepArgs) -> Result<Exit, Failure> {
    let mut site = Site::load(&args.config)?;
    if !args.mirrors.is_empty() {
        site.publish.mirrors = mirrors(&args.mirrors)?;
    }
    if site.publish.mirrors.is_empty() {
        return Err(Failure::usage(
            "no mirror: there is nothing to sweep",
            Some("[publish] mirrors = [\"mirror\"] in site.toml, or --mirror FOLDER"),
        ));
    }
    let folder = args.trust.or(site.publish.trust).ok_or_else(|| {
        Failure::usage(
            "nothing says whom to believe",
            Some("--trust DIR, the folder with allowed_signers and trust.toml"),
        )
    })?;
    let trust = read_trust(&folder).map_err(|problems| {
        let place = folder.display();
        Failure::usage(
            format!("trust in {place}:\n  {}", problems.join("\n  ")),
            None,
        )
    })?;
    let mirrors = Mirrors::open(&site.site, &site.publish.mirrors).map_err(PublishError::from)?;
    let store = Store::open(&site.publish.cache).map_err(PublishError::from)?;
    let (store, progress) = (Arc::new(store), progress());
    let sweep = Sweep {
        mirrors: &mirrors,
        trust: &trust,
        store: &store,
        retention: &site.retention,
        erasing: false,
        dry_run: args.dry_run,
        clock: wall_clock,
        progress: &*progress,
    };
    let swept = runtime()?.block_on(sweep.run());
    progress.done();
    let swept = swept?;
    for warning in swept.warnings() {
        eprintln!("warning: {warning}");
    }
    if args.json {
        eprintln!("{}", swept.text());
        print(&line_of(&swept.json()))?;
    } else {
        print(format!("{}\n", swept.text()).as_bytes())?;
    }
    Ok(swept.exit())
}
