//! `origin-sync publish`: from flags and `site.toml` to an open [`Publisher`], once or again and
//! again.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edge::settings::parse_duration;
use edge::signing::KeySource;
use snapshot::{CollectionName, Signer, Store};

use super::{Failure, PublishArgs, runtime};
use crate::config::{MIRRORS, Site, mirror_url};
use crate::exit::Exit;
use crate::mirror::Mirrors;
use crate::publish::{
    Bar, Lines, Progress, PublishError, Publisher, Report, Wishes, load_key, trust, wall_clock,
};
use crate::source::SourceLimits;

pub(super) fn run(args: PublishArgs) -> Result<Exit, Failure> {
    let every = match &args.every {
        None => None,
        Some(text) => Some(every(text).ok_or_else(|| {
            let message = format!("--every {text:?} is not a duration");
            Failure::usage(message, Some("--every 30s"))
        })?),
    };
    let mut site = declared(&args)?;
    let signer = key(&args, &site)?;
    let runtime = runtime()?;
    loop {
        let result = open(site, &signer).and_then(|publisher| {
            let progress = progress();
            let wishes = Wishes {
                changes: changes(&args.changes, &publisher.site)?,
                accept_shrink: args.accept_shrink,
                ask_all: args.ask_all,
            };
            let published = runtime.block_on(publisher.publish(wishes, wall_clock, &*progress));
            progress.done();
            Ok(published?)
        });
        let Some(every) = every else {
            let report = result?;
            show(&report, args.json);
            return Ok(report.exit);
        };
        match result {
            Ok(report) => show(&report, args.json),
            Err(failure) => failure.show(args.json),
        }
        site = loop {
            if runtime.block_on(told_to_stop(every)) {
                return Ok(Exit::Done);
            }
            match declared(&args) {
                Ok(site) => break site,
                Err(failure) => failure.show(args.json),
            }
        };
    }
}

/// Lists of changes, each for a collection that has rows and no other list.
fn changes(given: &[String], site: &Site) -> Result<BTreeMap<CollectionName, PathBuf>, Failure> {
    let mut lists = BTreeMap::new();
    for text in given {
        let refuse = |why: &str| {
            let message = format!("--changes {text:?}: {why}");
            Failure::usage(message, Some("--changes clubs=changes.ndjson"))
        };
        let (name, file) = text
            .split_once('=')
            .ok_or_else(|| refuse("no = between collection and file"))?;
        let collection = name.parse().ok().and_then(|name| site.collection(&name));
        let collection = collection.ok_or_else(|| refuse("no such collection in site.toml"))?;
        if collection.source.key().is_none() {
            return Err(refuse(
                "the collection is a folder of files, and has no rows",
            ));
        }
        let file = if file == "-" { "/dev/stdin" } else { file };
        if lists.insert(collection.name.clone(), file.into()).is_some() {
            return Err(refuse("the collection has a list already"));
        }
    }
    Ok(lists)
}

fn every(text: &str) -> Option<Duration> {
    parse_duration(text).filter(|every| !every.is_zero())
}

fn declared(args: &PublishArgs) -> Result<Site, Failure> {
    let mut site = Site::load(&args.config)?;
    if !args.mirrors.is_empty() {
        site.publish.mirrors = mirrors(&args.mirrors)?;
    }
    if let Some(folder) = &args.trust {
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

/// Mirrors as given on a command line: relative to the working directory.
pub(super) fn mirrors(given: &[String]) -> Result<Vec<String>, Failure> {
    if given.len() > MIRRORS {
        let message = format!("--mirror is given {} times, at most {MIRRORS}", given.len());
        return Err(Failure::usage(message, None));
    }
    given
        .iter()
        .map(|text| mirror_url(Path::new(""), text).map_err(|why| Failure::usage(why, None)))
        .collect()
}

fn key(args: &PublishArgs, site: &Site) -> Result<Arc<dyn Signer>, Failure> {
    let source = match &args.key {
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

fn open(site: Site, signer: &Arc<dyn Signer>) -> Result<Publisher, Failure> {
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

fn progress() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() {
        Box::new(Bar::new())
    } else {
        Box::new(Lines)
    }
}

fn show(report: &Report, json: bool) {
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
    if json {
        eprintln!("{}", report.text());
        println!("{}", report.json());
    } else {
        println!("{}", report.text());
    }
}

/// Waits; true when the process was asked to end meanwhile.
async fn told_to_stop(every: Duration) -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = tokio::time::sleep(every) => false,
        _ = tokio::signal::ctrl_c() => true,
        () = terminated => true,
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

    #[test]
    fn never_waiting_is_no_duration() {
        assert_eq!(every("0s"), None);
        assert_eq!(every("30s"), Some(Duration::from_secs(30)));
    }
}
