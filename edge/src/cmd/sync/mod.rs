//! `edge sync`: what an edge holds brought up to date once, with a bar. Of a running edge, which does
//! that by itself and holds its data, only the progress is shown.

mod progress;
mod running;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures::future::{join_all, try_join_all};
use snapshot::{NodeCache, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Exit, on_runtime, wrong};
use crate::answer::Rehearsal;
use crate::config::Config;
use crate::copy::Canaries;
use crate::log::Log;
use crate::serve::{NODE_CACHE_BYTES, open_data};
use crate::sync::{Follower, OpenError, Pace, SyncStatus};

use progress::Progress;

pub(super) const HELP: &str = "Before an edge's first start, from a timer, or to see what its sources \
    give: fetches, checks and tries the newest release as `edge serve` does, takes in orders, and ends. \
    What has arrived stays, also when this is interrupted. While the edge runs, its own progress is \
    shown until it is up to date.\n\nExit status:\n   \
    0  every site is on the newest release that its sources offer\n   \
    1  it is not; the reason is printed\n   \
    5  of a site, no source answered; what is held stays\n  \
    64  edge.toml or the command line is wrong: all mistakes are printed";

/// How often the bar is drawn.
const DRAW: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// The settings file.
    #[arg(long, value_name = "FILE", default_value = "edge.toml")]
    config: PathBuf,
}

impl Sync {
    pub(super) fn run(&self) -> Exit {
        let config = match Config::load(&self.config) {
            Ok(config) => config,
            Err(problems) => return wrong(&problems),
        };
        on_runtime(async {
            match sync(&config).await {
                Ok(sites) => sites.iter().map(tell).fold(Exit::Done, worse),
                Err(error) => {
                    eprintln!("edge: {error:#}");
                    Exit::Failed
                }
            }
        })
    }
}

async fn sync(config: &Config) -> anyhow::Result<Vec<SyncStatus>> {
    let host = open_data(&config.data).await?;
    let (cache, log) = (NodeCache::new(NODE_CACHE_BYTES), Log::open(&config.data));
    let opening = config.sites.iter().map(|site| {
        let log = log.clone();
        Follower::open(site, &config.data, Arc::clone(&host), cache.clone(), log)
    });
    let followers = match try_join_all(opening).await {
        Err(OpenError::Store { source, .. }) if matches!(*source, StoreError::InUse(_)) => {
            return running::watch(config).await;
        }
        other => other?,
    };
    let states: Vec<_> = followers.iter().map(Follower::state).collect();
    let statuses = || -> Vec<SyncStatus> { states.iter().map(|s| s.sync_status()).collect() };
    let pace = Arc::new(Pace::new(config.sync.bandwidth));
    let canaries: Arc<dyn Canaries> = Arc::new(Rehearsal::new(host));
    let all = followers.into_iter().map(|follower| {
        let follower = follower.at_pace(Arc::clone(&pace));
        follower.once(Arc::clone(&canaries), CancellationToken::new())
    });
    let mut progress = Progress::new();
    let drawing = async {
        loop {
            progress.draw(&statuses());
            tokio::time::sleep(DRAW).await;
        }
    };
    tokio::select! {
        _ = join_all(all) => {}
        () = drawing => {}
    }
    progress.end();
    log.end().await;
    Ok(statuses())
}

/// How a site stands once nothing is under way.
fn stands(status: &SyncStatus) -> Exit {
    let held = status.release.as_ref().map(|release| release.sequence);
    let offered = status
        .sources
        .iter()
        .filter_map(|source| source.offers)
        .max();
    let whole = held.is_some() && offered.is_some() && held >= offered;
    if whole && status.left_behind.is_none() {
        return Exit::Done;
    }
    let mut sources = status.sources.iter();
    if sources.any(|source| source.last_answer.is_some()) {
        return Exit::Failed;
    }
    Exit::NoMirror
}

/// Says how a site stands.
fn tell(status: &SyncStatus) -> Exit {
    let (site, exit) = (&status.site, stands(status));
    let held = status.release.as_ref();
    let held = held.map_or("no release".to_owned(), |held| {
        format!("release {}", held.sequence)
    });
    let came = status.downloaded;
    match exit {
        Exit::Done => println!("{site}: {held}, up to date; {came} bytes came"),
        _ => println!("{site}: {held}, not up to date; {came} bytes came"),
    }
    if exit != Exit::Done {
        for refusal in &status.refusals {
            let object = refusal.object.as_deref().unwrap_or("release");
            eprintln!(
                "edge: {site}: {object}: {}: {}",
                refusal.check, refusal.reason
            );
        }
    }
    if let Some(behind) = &status.left_behind {
        eprintln!("edge: {site}: left behind: {behind}");
    }
    for source in &status.sources {
        if let Some(error) = &source.error {
            eprintln!("edge: {site}: {}: {error}", source.url);
        }
    }
    for alarm in &status.remarks {
        eprintln!("edge: {site}: {}", alarm.text);
    }
    exit
}

/// What one site could not do counts more than what another did; no source at all less than a refusal.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Done => 0,
        Exit::NoMirror => 1,
        _ => 2,
    };
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{ReleaseStatus, SourceStatus};

    fn site(held: Option<u64>, offers: &[Option<u64>], answered: bool) -> SyncStatus {
        let release = held.map(|sequence| ReleaseStatus {
            sequence,
            manifest: String::new(),
            as_of: String::new(),
            age_s: 0,
            signers: Vec::new(),
        });
        let source = |offers: &Option<u64>| SourceStatus {
            offers: *offers,
            last_answer: answered.then(String::new),
            ..SourceStatus::default()
        };
        SyncStatus {
            release,
            sources: offers.iter().map(source).collect(),
            ..progress::tests::status()
        }
    }

    #[test]
    fn the_worst_site_decides() {
        for (held, offers, answered, expected) in [
            (Some(2), &[Some(2), Some(1)][..], true, Exit::Done),
            (Some(3), &[Some(2), None], true, Exit::Done),
            (Some(1), &[Some(2), Some(1)], true, Exit::Failed),
            (None, &[Some(2)], true, Exit::Failed),
            (Some(1), &[None], true, Exit::Failed),
            (Some(1), &[None, None], false, Exit::NoMirror),
        ] {
            assert_eq!(
                stands(&site(held, offers, answered)),
                expected,
                "{offers:?}"
            );
        }
        assert_eq!(worse(Exit::Done, Exit::NoMirror), Exit::NoMirror);
        assert_eq!(worse(Exit::Failed, Exit::NoMirror), Exit::Failed);
    }
}
