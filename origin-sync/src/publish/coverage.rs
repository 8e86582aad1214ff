//! The coverage: every URL that the sources name, asked of the real serving path with no origin
//! in reach. It answers "what would a reader still get?" before there is an outage.

use std::collections::BTreeMap;
use std::fmt::Write;

use futures::StreamExt;
use serde_json::{Value, json};
use snapshot::manifest::Target;

use super::progress::Progress;
use super::serving::Serving;
use crate::build::Built;
use crate::config::Site;
use crate::template::Template;

/// Most URLs of one route that are asked; of more, every nth.
pub const URLS_PER_ROUTE: usize = 50_000;
/// The file that answers for its folder.
const INDEX: &str = "index.html";
/// Most different reasons that are told of one route; the URLs that failed for others are counted
/// together.
pub const REASONS: usize = 20;
/// What those others are called.
const OTHER_REASONS: &str = "other reasons";
/// URLs asked at once.
const AT_ONCE: usize = 16;

/// What answers with the origin dead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Each route whose URLs are known.
    pub routes: Vec<RouteCoverage>,
    /// Routes that are declared and whose URLs nobody can list.
    pub uncovered: Vec<String>,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteCoverage {
    /// Its template.
    pub route: String,
    /// Its service.
    pub service: String,
    /// URLs there are.
    pub urls: usize,
    /// URLs that were asked: all, unless there are more than [`URLS_PER_ROUTE`].
    pub asked: usize,
    /// URLs that answered with a page.
    pub answered: usize,
    /// Why the others did not, and how many of them. Paths may carry capabilities and stay out.
    pub failures: BTreeMap<String, usize>,
}

impl RouteCoverage {
    /// A route that has URLs, none of which answers: no release is worth that.
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        self.asked > 0 && self.answered == 0
    }

    fn fail(&mut self, why: String) {
        let known = self.failures.contains_key(&why) || self.failures.len() < REASONS;
        let why = if known { why } else { OTHER_REASONS.to_owned() };
        *self.failures.entry(why).or_default() += 1;
    }
}

/// The URLs of each route; `None` where nobody can list them.
pub(super) fn urls(
    site: &Site,
    built: &Built,
    paths: &mut BTreeMap<usize, Vec<String>>,
) -> Result<Vec<Option<Vec<String>>>, crate::build::BuildError> {
    let mut all = Vec::new();
    for (at, route) in site.routes.iter().enumerate() {
        let template: Option<Template> = route.route.path.parse().ok();
        let urls = match (&route.route.target, template) {
            (_, None) => None,
            (_, Some(template)) if template.params().count() == 0 => {
                template.fill(|_| None).map(|p| vec![p])
            }
            (Target::Assets(collection), Some(template)) => {
                let mut urls = Vec::new();
                let stack = built.stacks.get(collection);
                for record in stack.into_iter().flat_map(|stack| stack.iter(..)) {
                    let key = record?.0;
                    let key = String::from_utf8_lossy(key.as_bytes()).into_owned();
                    urls.extend(template.fill(|_| Some(&key)));
                    // What readers ask for is the folder.
                    if key == INDEX || key.ends_with("/index.html") {
                        let folder = key.strip_suffix(INDEX);
                        urls.extend(folder.and_then(|folder| template.fill(|_| Some(folder))));
                    }
                }
                Some(urls)
            }
            (Target::Component(_), Some(_)) => paths.remove(&at),
        };
        all.push(urls);
    }
    Ok(all)
}

/// Asks them all.
pub(super) async fn ask(
    site: &Site,
    urls: Vec<Option<Vec<String>>>,
    serving: &dyn Serving,
    progress: &dyn Progress,
) -> Coverage {
    let mut coverage = Coverage::default();
    let language = site.languages.first().map_or("en", String::as_str);
    let total = urls.iter().flatten().map(|urls| sample(urls).count()).sum();
    let mut done = 0;
    for (route, urls) in site.routes.iter().zip(urls) {
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
        let mut answers = futures::stream::iter(sample(&urls))
            .map(|path| serving.ask(path, language))
            .buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            done += 1;
            progress.at(done, total);
            found.asked += 1;
            let failure = match answer {
                Ok(page) if page.status.as_u16() == 200 => {
                    found.answered += 1;
                    continue;
                }
                Ok(page) => page.with_said(page.outcome()),
                Err(error) => error,
            };
            found.fail(failure);
        }
        coverage.routes.push(found);
    }
    coverage
}

fn sample(urls: &[String]) -> impl Iterator<Item = &str> {
    let step = urls.len().div_ceil(URLS_PER_ROUTE).max(1);
    urls.iter().step_by(step).map(String::as_str)
}

impl Coverage {
    /// URLs asked and answered, over all routes.
    #[must_use]
    pub fn totals(&self) -> (usize, usize) {
        let sum = |of: fn(&RouteCoverage) -> usize| self.routes.iter().map(of).sum();
        (sum(|route| route.asked), sum(|route| route.answered))
    }

    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Value {
        let (asked, answered) = self.totals();
        let routes: Vec<Value> = self
            .routes
            .iter()
            .map(|route| {
                json!({
                    "route": route.route,
                    "service": route.service,
                    "urls": route.urls,
                    "asked": route.asked,
                    "answered": route.answered,
                    "failures": route.failures,
                })
            })
            .collect();
        json!({
            "asked": asked,
            "answered": answered,
            "routes": routes,
            "uncovered": self.uncovered,
        })
    }

    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from("with the origin dead:");
        let wide = self.routes.iter().map(|r| r.route.len()).max().unwrap_or(0);
        for route in &self.routes {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n  {:<wide$}  {} of {} URLs answer",
                route.route, route.answered, route.asked
            );
            if route.asked < route.urls {
                let _ = write!(text, " (asked of {})", route.urls);
            }
            for (why, count) in &route.failures {
                let _ = write!(text, "\n  {:<wide$}    {count}: {why}", "");
            }
        }
        for route in &self.uncovered {
            let _ = write!(
                text,
                "\n  {route:<wide$}  declared, not covered: give it `urls` to have it counted"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_reasons_the_first_are_told() {
        let mut route = RouteCoverage::default();
        for n in 0..REASONS + 3 {
            route.fail(format!("reason {n}"));
        }
        route.fail("reason 0".to_owned());
        assert_eq!(route.failures.len(), REASONS + 1);
        assert_eq!(route.failures["reason 0"], 2);
        assert_eq!(route.failures["other reasons"], 3);
    }

    #[test]
    fn of_very_many_urls_a_sample_is_asked() {
        let urls: Vec<String> = (0..URLS_PER_ROUTE + 1).map(|n| n.to_string()).collect();
        let asked = sample(&urls).count();
        assert!(
            (URLS_PER_ROUTE / 2..=URLS_PER_ROUTE).contains(&asked),
            "{asked}"
        );
        assert_eq!(sample(&urls[..9]).count(), 9);
    }
}
