//! `origin-sync promote`.

use std::path::{Path, PathBuf};

use clap::Args;
use edge::sync::mirror::parse_url;
use snapshot::Sequence;

use super::press::{PressArgs, open, progress, show};
use super::{Failure, runtime};
use crate::config::Site;
use crate::exit::{Exit, TABLE};
use crate::inspect::Inspector;
use crate::mirror::Mirrors;
use crate::publish::{PublishError, Publisher, read_trust, wall_clock};

/// Publish the very release that another place of the site holds, such as staging
///
/// Staging and production are two places of one site: the same name in both site.toml, but other
/// mirrors, and where wanted other keys. (The name stands in the root of every segment and goes into
/// the names of private records, so under another name nothing could stay as it is.) What was tried on
/// staging is then published as it is: the same manifest, nothing built, no source read; the
/// canaries are asked once more, and production's own key signs it under production's next number.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
pub(super) struct PromoteArgs {
    /// Where it is now: staging's site.toml, for its mirrors and trust, or a mirror: a folder, a
    /// file:// or an http:// URL
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// The folder with allowed_signers and trust.toml that --from is judged by [default: that of
    /// staging's site.toml; of a mirror, production's]
    #[arg(long, value_name = "DIR")]
    from_trust: Option<PathBuf>,
    /// The number of staging's release, instead of the newest
    #[arg(long, value_name = "N")]
    release: Option<u64>,
    /// Production's site.toml
    #[arg(long = "to", value_name = "FILE", default_value = "site.toml")]
    to: PathBuf,
    /// A mirror instead of those in production's site.toml; may be repeated
    #[arg(long = "mirror", value_name = "URL")]
    mirrors: Vec<String>,
    /// The key instead of the one in production's site.toml
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The folder with allowed_signers and trust.toml, instead of the one in production's site.toml
    #[arg(long, value_name = "DIR")]
    trust: Option<PathBuf>,
    /// Promote although a collection loses more than 30 per cent of its records by it; the manifest
    /// then says so to edges, and is another one in that alone
    #[arg(long)]
    accept_shrink: bool,
    /// End with one line of JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: PromoteArgs) -> Result<Exit, Failure> {
    let press = PressArgs {
        config: args.to.clone(),
        mirrors: args.mirrors.clone(),
        key: args.key.clone(),
        trust: args.trust.clone(),
    };
    let site = press.declared()?;
    let signer = press.key(&site)?;
    let publisher = open(site, &signer)?;
    let inspector = staging(&args, &publisher)?;
    let runtime = runtime()?;
    let given = runtime.block_on(inspector.release(args.release.map(Sequence)))?;
    let progress = progress();
    let again = publisher.again(
        &given,
        &inspector.mirrors,
        args.accept_shrink,
        wall_clock,
        &*progress,
    );
    let done = runtime.block_on(again);
    progress.done();
    let report = done?;
    show(&report, args.json.then(|| report.json()));
    Ok(report.exit)
}

/// The place that is promoted from.
fn staging(args: &PromoteArgs, publisher: &Publisher) -> Result<Inspector, Failure> {
    let name = &publisher.site.site;
    let mut folder = args.from_trust.clone();
    let mirrors = if Path::new(&args.from)
        .extension()
        .is_some_and(|e| e == "toml")
    {
        let staging = Site::load(Path::new(&args.from))?;
        if staging.site != *name {
            return Err(Failure::usage(
                format!(
                    "{} is the site {}, and {} the site {name}: a manifest and its segments are \
                     one site's, under one name",
                    args.from,
                    staging.site,
                    args.to.display(),
                ),
                Some("give staging the same `site = \"..\"`, with other mirrors"),
            ));
        }
        folder = folder.or(staging.publish.trust);
        Mirrors::open(name, &staging.publish.mirrors)
    } else {
        parse_url(&args.from, Path::new("")).and_then(|url| Mirrors::open(name, &[url.into()]))
    };
    let mirrors = mirrors.map_err(PublishError::from)?;
    let trust = match folder {
        None => publisher.trust.clone(),
        Some(folder) => read_trust(&folder).map_err(|problems| {
            let (folder, problems) = (folder.display(), problems.join("\n  "));
            Failure::usage(format!("trust in {folder}:\n  {problems}"), None)
        })?,
    };
    Ok(Inspector::new(mirrors, trust, wall_clock())?)
}
