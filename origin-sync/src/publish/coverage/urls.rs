//! Which URLs there are, and which of very many are asked.

use std::collections::BTreeMap;

use snapshot::Digest;
use snapshot::manifest::Target;

use crate::build::{BuildError, Built};
use crate::config::Site;
use crate::template::Template;

/// Most URLs of one route that are asked; of more, a sample.
const URLS_PER_ROUTE: usize = 50_000;
/// The file that answers for its folder.
const INDEX: &str = "index.html";

/// A URL, and the hash that names it where it is remembered: paths may carry capabilities.
pub(super) struct Url {
    pub(super) name: Digest,
    pub(super) path: String,
}

/// The URLs of each route; `None` where nobody can list them.
pub(in super::super) fn urls(
    site: &Site,
    built: &Built,
    paths: &mut BTreeMap<usize, Vec<String>>,
) -> Result<Vec<Option<Vec<String>>>, BuildError> {
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

/// All of `paths`, or of very many those whose hash falls on every second, fourth, eighth.. value:
/// a path that comes or goes leaves the others in the sample, so that they stay known.
pub(super) fn sample(paths: Vec<String>) -> Vec<Url> {
    let step = paths.len().div_ceil(URLS_PER_ROUTE).next_power_of_two() as u64;
    let named = paths.into_iter().map(|path| Url {
        name: Digest::of(path.as_bytes()),
        path,
    });
    let chosen = named.filter(|url| {
        let [a, b, c, d, ..] = *url.name.as_bytes();
        u64::from(u32::from_le_bytes([a, b, c, d])).is_multiple_of(step)
    });
    chosen.take(URLS_PER_ROUTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(count: usize) -> Vec<String> {
        let paths = (0..count).map(|n| n.to_string()).collect();
        sample(paths).into_iter().map(|url| url.path).collect()
    }

    #[test]
    fn of_very_many_urls_a_sample_is_asked() {
        assert_eq!(sampled(9).len(), 9);
        assert_eq!(sampled(URLS_PER_ROUTE).len(), URLS_PER_ROUTE);
        for count in [URLS_PER_ROUTE + 1, 2 * URLS_PER_ROUTE] {
            let asked = sampled(count).len();
            assert!(
                (URLS_PER_ROUTE / 5 * 2..=URLS_PER_ROUTE).contains(&asked),
                "{asked} of {count}"
            );
        }
    }

    #[test]
    fn one_url_more_leaves_the_sample_as_it_is() {
        let (before, mut after) = (sampled(URLS_PER_ROUTE + 7), sampled(URLS_PER_ROUTE + 8));
        after.truncate(before.len());
        assert!(before == after);
    }
}
