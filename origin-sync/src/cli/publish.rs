//! `origin-sync publish`: from flags and `site.toml` to an open [`Publisher`], once or again and
//! again.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use edge::settings::parse_duration;
use snapshot::{CollectionName, Signer};

use super::press::{open, progress, show};
use super::{Failure, PublishArgs, runtime};
use crate::build::Wish;
use crate::config::Site;
use crate::exit::Exit;
use crate::publish::{Report, Wishes, wall_clock};

/// Longest answer to a question, bytes.
const ANSWER_BYTES: u64 = 64;

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
        let mut result = once(site.clone(), &args, args.wish(), &signer, &runtime);
        if every.is_none()
            && let Err(failure) = &result
            && failure.exit == Exit::Amended
            && let Some(wish) = asked(&args, failure)
        {
            result = once(site, &args, Some(wish), &signer, &runtime);
        }
        let Some(every) = every else {
            let report = result?;
            show(&report, args.json.then(|| report.json()));
            return Ok(report.exit);
        };
        match result {
            Ok(report) => show(&report, args.json.then(|| report.json())),
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

impl PublishArgs {
    const fn wish(&self) -> Option<Wish> {
        match (self.keep_amended, self.take_source) {
            (true, _) => Some(Wish::Keep),
            (_, true) => Some(Wish::Take),
            _ => None,
        }
    }
}

fn once(
    site: Site,
    args: &PublishArgs,
    amended: Option<Wish>,
    signer: &Arc<dyn Signer>,
    runtime: &tokio::runtime::Runtime,
) -> Result<Report, Failure> {
    let publisher = open(site, signer)?;
    let progress = progress();
    let wishes = Wishes {
        changes: changes(&args.changes, &publisher.site)?,
        amended,
        accept_shrink: args.accept_shrink,
        ask_all: args.ask_all,
        take_erased: args.take_erased,
    };
    let published = runtime.block_on(publisher.publish(wishes, wall_clock, &*progress));
    progress.done();
    Ok(published?)
}

/// What a person at a terminal wants of records that were amended by hand.
fn asked(args: &PublishArgs, failure: &Failure) -> Option<Wish> {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    // What came through standard input is gone.
    if !terminal || args.changes.iter().any(|list| list.ends_with("=-")) {
        return None;
    }
    eprintln!("{failure}");
    eprint!("keep them as they are [k], take what the sources say [t], or stop [enter]? ");
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .take(ANSWER_BYTES)
        .read_line(&mut answer)
        .ok()?;
    wish_of(&answer)
}

fn wish_of(answer: &str) -> Option<Wish> {
    match answer.trim() {
        "k" | "keep" => Some(Wish::Keep),
        "t" | "take" => Some(Wish::Take),
        _ => None,
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
    fn only_a_clear_answer_decides() {
        assert_eq!(wish_of("k\n"), Some(Wish::Keep));
        assert_eq!(wish_of(" take\n"), Some(Wish::Take));
        for unclear in ["", "\n", "y\n", "kt", &"k".repeat(64)] {
            assert_eq!(wish_of(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn never_waiting_is_no_duration() {
        assert_eq!(every("0s"), None);
        assert_eq!(every("30s"), Some(Duration::from_secs(30)));
    }
}
