//! Which mirrors are looked at, and whom to believe.

use std::path::{Path, PathBuf};

use clap::Args;
use edge::sync::mirror::parse_url;
use snapshot::{Sequence, SiteName};

use super::Failure;
use super::press::few;
use crate::config::Site;
use crate::exit::Exit;
use crate::inspect::Inspector;
use crate::mirror::Mirrors;
use crate::publish::{PublishError, read_trust, wall_clock};

/// Where, and whom to believe.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// The site's declaration, for its name, mirrors and trust
    #[arg(long, value_name = "FILE", default_value = "site.toml", global = true)]
    pub(super) config: PathBuf,
    /// The site's name; with --mirror and --trust no site.toml is needed
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) site: Option<String>,
    /// A mirror instead of those in site.toml: a folder, file:///PATH, s3://BUCKET/PREFIX, or
    /// http://HOST/PATH; may be repeated. One that is read over HTTP cannot list its releases: its
    /// pointer's alone is seen
    #[arg(long = "mirror", value_name = "URL", global = true)]
    pub(super) mirrors: Vec<String>,
    /// The folder with allowed_signers and trust.toml, instead of the one in site.toml
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) trust: Option<PathBuf>,
}

/// Which release of what is there.
#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,
    /// Look at this release instead of the newest
    #[arg(long, value_name = "N", global = true)]
    release: Option<u64>,
}

impl ReleaseArgs {
    pub(super) fn sequence(&self) -> Option<Sequence> {
        self.release.map(Sequence)
    }
}

impl PlaceArgs {
    /// Opens what is to be looked at.
    pub(super) fn open(&self) -> Result<Inspector, Failure> {
        // With all three on the command line, a mirror can be looked at by whoever has no site.toml.
        let needs_site = self.site.is_none() || self.mirrors.is_empty() || self.trust.is_none();
        let declared = if needs_site {
            Some(Site::load(&self.config)?)
        } else {
            None
        };
        let named: Option<SiteName> = match &self.site {
            Some(name) => Some(
                name.parse()
                    .map_err(|error: snapshot::InvalidName| Failure::new(Exit::Usage, error))?,
            ),
            None => declared.as_ref().map(|site| site.site.clone()),
        };
        let site = named.ok_or_else(|| Failure::usage("no site", Some("--site NAME")))?;
        let urls = if self.mirrors.is_empty() {
            declared
                .as_ref()
                .map(|site| site.publish.mirrors.clone())
                .unwrap_or_default()
        } else {
            readable(&self.mirrors)?
        };
        let folder = self
            .trust
            .clone()
            .or_else(|| declared.and_then(|site| site.publish.trust));
        let folder = folder.ok_or_else(|| {
            Failure::usage(
                "nothing says whom to believe",
                Some("--trust DIR, the folder with allowed_signers and trust.toml"),
            )
        })?;
        let generation = read_trust(&folder).map_err(|problems| {
            Failure::usage(
                format!(
                    "trust in {}:\n  {}",
                    folder.display(),
                    problems.join("\n  ")
                ),
                None,
            )
        })?;
        let mirrors = Mirrors::open(&site, &urls).map_err(PublishError::from)?;
        Ok(Inspector::new(mirrors, generation, wall_clock())?)
    }
}

/// Mirrors that are only looked at, so that what can only be read will do.
fn readable(given: &[String]) -> Result<Vec<String>, Failure> {
    few(given)?;
    let urls = given.iter().map(|text| {
        let url = parse_url(text, Path::new("")).map_err(PublishError::from)?;
        Ok(url.to_string())
    });
    urls.collect()
}
