//! Asking, on every core. Dropped, it asks no more.

use std::num::NonZero;
use std::sync::Arc;

use edge::answer::MadeOf;
use snapshot::Timestamp;
use tokio::task::JoinSet;

use super::super::progress::Progress;
use super::super::serving::Serving;
use super::known::{Known, Notes};
use super::urls::{Url, sample};
use super::{Coverage, RouteCoverage};
use crate::config::Site;

/// URLs asked at once for each core: while one waits for a disk, another computes.
const AT_ONCE: usize = 4;

/// What asking takes.
pub(in super::super) struct Asking<'a> {
    pub(in super::super) site: &'a Site,
    pub(in super::super) serving: &'a Arc<dyn Serving>,
    /// What need not be asked again.
    pub(in super::super) known: &'a Known,
    /// The time of the data.
    pub(in super::super) as_of: Timestamp,
    pub(in super::super) progress: &'a dyn Progress,
}

/// A page, and what it is made of; or why there is none.
type Answer = Result<Option<MadeOf>, String>;

/// Asks all of `urls` that are not known, and notes what the next publish may take for known.
pub(in super::super) async fn ask(
    asking: &Asking<'_>,
    urls: Vec<Option<Vec<String>>>,
) -> (Coverage, Notes) {
    let mut coverage = Coverage::default();
    let mut notes = Notes::default();
    let mut routes = Vec::new();
    for (route, urls) in asking.site.routes.iter().zip(urls) {
        let Some(urls) = urls else {
            coverage.uncovered.push(route.route.path.clone());
            continue;
        };
        let mut found = RouteCoverage {
            route: route.route.path.clone(),
            service: route.route.service.to_string(),
            urls: urls.len(),
            ..RouteCoverage::default()
        };
        let mut open = sample(urls);
        open.retain(|url| match asking.known.repeat(&url.name, &mut notes) {
            Some(since) => {
                found.answered_before(since);
                false
            }
            None => true,
        });
        routes.push((found, open));
    }
    let total = routes.iter().map(|(_, open)| open.len()).sum();
    let mut done = 0;
    for (mut found, open) in routes {
        let each = |url: Option<Url>, answer: Answer| {
            done += 1;
            asking.progress.at(done, total);
            found.asked += 1;
            match answer {
                Ok(made_of) => {
                    found.answered += 1;
                    if let (Some(url), Some(made_of)) = (url, made_of) {
                        notes.answered(url.name, asking.as_of, made_of);
                    }
                }
                Err(why) => found.fail(why),
            }
        };
        ask_each(asking, open, each).await;
        coverage.routes.push(found);
    }
    (coverage, notes)
}

/// So many at once as the cores bear, in no order.
async fn ask_each(asking: &Asking<'_>, urls: Vec<Url>, mut each: impl FnMut(Option<Url>, Answer)) {
    let language = asking.site.languages.first().map_or("en", String::as_str);
    let language: Arc<str> = language.into();
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut urls = urls.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < cores.saturating_mul(AT_ONCE)
            && let Some(url) = urls.next()
        {
            let (serving, language) = (Arc::clone(asking.serving), Arc::clone(&language));
            running.spawn(async move {
                let answer = ask_one(&*serving, &url.path, &language).await;
                (url, answer)
            });
        }
        match running.join_next().await {
            Some(Ok((url, answer))) => each(Some(url), answer),
            Some(Err(error)) => each(None, Err(error.to_string())),
            None => return,
        }
    }
}

async fn ask_one(serving: &dyn Serving, path: &str, language: &str) -> Answer {
    let page = serving.ask(path, language).await?;
    if page.status.as_u16() == 200 {
        return Ok(page.made_of);
    }
    Err(page.with_said(page.outcome()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use edge::answer::{Found, Rehearsed};
    use futures::future::BoxFuture;
    use tokio::sync::Semaphore;

    use super::super::super::progress::Silent;
    use super::*;

    /// Answers once it is let, and counts who waits.
    struct Slow {
        let_go: Semaphore,
        most: AtomicUsize,
        waiting: AtomicUsize,
    }

    impl Slow {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                let_go: Semaphore::new(0),
                most: AtomicUsize::new(0),
                waiting: AtomicUsize::new(0),
            })
        }
    }

    impl Serving for Slow {
        fn ask<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Rehearsed, String>> {
            Box::pin(async {
                let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
                self.most.fetch_max(waiting, Ordering::Relaxed);
                self.let_go.acquire().await.unwrap().forget();
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Ok(Rehearsed {
                    status: 200.try_into().unwrap(),
                    body: Default::default(),
                    found: Found::Answer,
                    said: None,
                    made_of: None,
                })
            })
        }
    }

    const URLS: usize = 500;

    async fn asked(slow: &Arc<Slow>) -> Coverage {
        let text = "site = \"x\"\n[status]\nserve = false\n[component.view]\nfile = \"x\"\n\
                    [[route]]\npath = \"/{id}\"\ncomponent = \"view\"\n";
        let site = Site::parse(Path::new("site.toml"), text).unwrap();
        let serving: Arc<dyn Serving> = slow.clone();
        let asking = Asking {
            site: &site,
            serving: &serving,
            known: &Known::default(),
            as_of: Timestamp(0),
            progress: &Silent,
        };
        let urls = (0..URLS).map(|n| format!("/{n}")).collect();
        ask(&asking, vec![Some(urls)]).await.0
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_url_is_asked_and_so_many_at_once_as_the_cores_bear() {
        let slow = Slow::new();
        let borne = std::thread::available_parallelism().unwrap().get() * AT_ONCE;
        let full = async {
            while slow.waiting.load(Ordering::Relaxed) < borne {
                tokio::task::yield_now().await;
            }
            slow.let_go.add_permits(URLS);
        };
        let (coverage, ()) = tokio::join!(asked(&slow), full);
        assert_eq!(coverage.totals(), (URLS, 0, URLS));
        assert_eq!(slow.most.load(Ordering::Relaxed), borne);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn dropped_it_asks_no_more() {
        let slow = Slow::new();
        let begun = async {
            while slow.waiting.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = asked(&slow) => panic!("nobody let it go"),
            () = begun => {}
        }
        while Arc::strong_count(&slow) > 1 {
            tokio::task::yield_now().await;
        }
        let asked = slow.waiting.load(Ordering::Relaxed);
        assert!(asked < URLS, "{asked}");
    }
}
