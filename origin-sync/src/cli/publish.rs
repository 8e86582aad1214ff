//! `origin-sync publish`: from flags and `site.toml` to an open [`Publisher`], once or again and
//! again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use edge::settings::parse_duration;
use snapshot::CollectionName;

use super::press::{open, progress, show};
use super::{Failure, PublishArgs, runtime};
use crate::config::Site;
use crate::exit::Exit;
use crate::publish::{Wishes, wall_clock};

pub(super) fn run(args: PublishArgs) -> Result<Exit, Failure> {
    let every = match &args.every {
        None => None,
        Some(text) => Some(every(text).ok_or_else(|| {
            let message = format!("--every {text:?} is not a duration");
            Failure::usage(message, Some("--every 30s"))
        })?),
    };
    let mut site = args.press.declared()?;
    let signer = args.press.key(&site)?;
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
            match args.press.declared() {
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
    fn never_waiting_is_no_duration() {
        assert_eq!(every("0s"), None);
        assert_eq!(every("30s"), Some(Duration::from_secs(30)));
    }
}
