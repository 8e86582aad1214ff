//! What every command that publishes is given: which site, to where, signed by whom, believing whom.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use edge::signing::KeySource;
use serde_json::Value;
use snapshot::{Signer, Store};

use super::Failure;
use crate::config::{MIRRORS, Site, mirror_url};
use crate::exit::Exit;
use crate::mirror::Mirrors;
use crate::publish::{Bar, Plain, Progress, PublishError, Publisher, Report, load_key, trust};
use crate::source::SourceLimits;

/// Which site, where to, whose key, whom to believe.
#[derive(Debug, Args)]
pub(super) struct PressArgs {
    /// The site's declaration
    #[arg(long, value_name = "FILE", default_value = "site.toml")]
    pub(super) config: PathBuf,
    /// A mirror instead of those in site.toml: a folder, file:///PATH, or s3://BUCKET/PREFIX with
    /// ?endpoint=URL&region=NAME&credentials=FILE; may be repeated
    #[arg(long = "mirror", value_name = "URL")]
    pub(super) mirrors: Vec<String>,
    /// The key instead of the one in site.toml: FILE, agent:SHA256:.., agent:FILE.pub, env:NAME
    /// [default: the key's text in HOLDFAST_RELEASE_KEY, if neither names one]
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,
    /// The folder with allowed_signers and trust.toml, instead of the one in site.toml
    #[arg(long, value_name = "DIR")]
    pub(super) trust: Option<PathBuf>,
}

impl PressArgs {
    /// `site.toml`, overruled by the command line.
    pub(super) fn declared(&self) -> Result<Site, Failure> {
        self.overrule(Site::load(&self.config)?)
    }

    /// `site`, overruled by the command line.
    pub(super) fn overrule(&self, mut site: Site) -> Result<Site, Failure> {
        if !self.mirrors.is_empty() {
            site.publish.mirrors = mirrors(&self.mirrors)?;
        }
        if let Some(folder) = &self.trust {
            site.publish.trust = Some(folder.clone());
        }
        if site.publish.mirrors.is_empty() {
            return Err(Failure::usage(
                "no mirror: a release would go nowhere",
                Some("[publish] mirrors = [\"mirror\"] in site.toml, or --mirror FOLDER"),
            ));
        }
        Ok(site)
    }

    /// Who signs.
    pub(super) fn key(&self, site: &Site) -> Result<Arc<dyn Signer>, Failure> {
        let source = match &self.key {
            Some(text) => {
                let parsed: Result<KeySource, _> = text.parse();
                Some(parsed.map_err(|error| Failure::new(Exit::Usage, error))?)
            }
            None => site.publish.key.clone(),
        };
        load_key(source).map_err(|error| {
            Failure::new(Exit::KeyRefused, error).hint(Some(
                "--key FILE, --key agent:SHA256:.., or the key's text in HOLDFAST_RELEASE_KEY",
            ))
        })
    }
}

/// No more mirrors than a site may have.
pub(super) fn few(given: &[String]) -> Result<(), Failure> {
    if given.len() <= MIRRORS {
        return Ok(());
    }
    let message = format!("--mirror is given {} times, at most {MIRRORS}", given.len());
    Err(Failure::usage(message, None))
}

/// Mirrors to write to, as given on a command line: relative to the working directory.
pub(super) fn mirrors(given: &[String]) -> Result<Vec<String>, Failure> {
    few(given)?;
    given
        .iter()
        .map(|text| mirror_url(Path::new(""), text).map_err(|why| Failure::usage(why, None)))
        .collect()
}

/// Everything that a publish needs.
pub(super) fn open(site: Site, signer: &Arc<dyn Signer>) -> Result<Publisher, Failure> {
    let folder = site.publish.trust.as_deref();
    let trust = trust(folder, &**signer, &site.site).map_err(|problems| {
        let place = folder.map_or("the key".to_owned(), |folder| folder.display().to_string());
        Failure::usage(
            format!("trust in {place}:\n  {}", problems.join("\n  ")),
            None,
        )
    })?;
    let mirrors = Mirrors::open(&site.site, &site.publish.mirrors).map_err(PublishError::from)?;
    let store = Store::open(&site.publish.cache).map_err(PublishError::from)?;
    Ok(Publisher {
        site,
        mirrors,
        signer: Arc::clone(signer),
        trust,
        store: Arc::new(store),
        limits: SourceLimits::default(),
    })
}

/// How far it is, for whoever looks on.
pub(super) fn progress() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() {
        Box::new(Bar::new())
    } else {
        Box::new(Plain)
    }
}

/// What was done; with `line` for a script.
pub(super) fn show(report: &Report, line: Option<Value>) {
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
    match line {
        Some(line) => {
            eprintln!("{}", report.text());
            println!("{line}");
        }
        None => println!("{}", report.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_mirrors_than_a_site_may_have_are_refused() {
        let given = |count: usize| vec!["mirror".to_owned(); count];
        assert_eq!(mirrors(&given(16)).unwrap().len(), 16);
        let refused = mirrors(&given(17)).unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert_eq!(
            refused.to_string(),
            "--mirror is given 17 times, at most 16"
        );
    }
}
