//! A site's routes as Spin's router spells them: exact, with `:name` for a whole segment, or ending
//! in `/...` (github.com/spinframework/spin, `crates/routes/src/lib.rs`).
//!
//! Spin is asked what an edge asks a component for: paths without the capability's segment. So two
//! routes that differ in their capability are one there, and the header `holdfast-route` tells the
//! component which of them is meant.

use std::collections::BTreeMap;

use edge::answer::without_capability;
use snapshot::manifest::{Route, Target};
use snapshot::{ComponentName, Manifest};

/// One route of the site, and how Spin spells it.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) route: &'a Route,
    /// How Spin spells it and what answers it there, or why it does not.
    pub(super) spin: Result<(String, &'a ComponentName), String>,
}

/// Every route of `manifest`, in its order.
pub(super) fn routes(manifest: &Manifest) -> Vec<Told<'_>> {
    let mut taken: BTreeMap<String, (&ComponentName, &str)> = BTreeMap::new();
    let mut all = Vec::new();
    for route in &manifest.routes {
        let spin = told(route).and_then(|(spelt, component)| {
            let (first, path) = *taken
                .entry(nameless(&spelt))
                .or_insert((component, &route.path));
            if first == component {
                return Ok((spelt, component));
            }
            Err(format!(
                "Spin cannot tell it from {path}, which the component {first} answers"
            ))
        });
        all.push(Told { route, spin });
    }
    all
}

fn told(route: &Route) -> Result<(String, &ComponentName), String> {
    match &route.target {
        Target::Component(name) => Ok((spelt(&without_capability(route))?, name)),
        Target::Assets(name) => Err(format!(
            "files of the collection {name}, which no component answers: serve them beside Spin"
        )),
    }
}

/// `template` in Spin's words, without the slash at its end, which Spin does not look at.
fn spelt(template: &str) -> Result<String, &'static str> {
    let inner = template.trim_start_matches('/');
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let mut out = String::new();
    if !inner.is_empty() {
        for segment in inner.split('/') {
            out.push('/');
            out.push_str(&spelt_segment(segment)?);
        }
    }
    Ok(if out.is_empty() { "/".to_owned() } else { out })
}

fn spelt_segment(segment: &str) -> Result<String, &'static str> {
    let parameter = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    match parameter {
        Some(rest) if rest.starts_with('*') => Ok("...".to_owned()),
        Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
            Ok(format!(":{name}"))
        }
        Some(_) => Err("its parameter has a name that Spin cannot have"),
        None if segment.contains(['{', '}']) => {
            Err("a parameter of Spin's is a whole segment, and here it is a part of one")
        }
        None if segment.is_empty() || segment == "..." || segment.contains([':', '*']) => {
            Err("it has text that Spin reads as a wildcard, or an empty segment")
        }
        None => Ok(segment.to_owned()),
    }
}

/// `spelt` with the names of its parameters left out: what Spin tells routes apart by.
fn nameless(spelt: &str) -> String {
    let segments = spelt.split('/');
    let bare = segments.map(|s| if s.starts_with(':') { ":" } else { s });
    bare.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_spin_s_or_say_why_not() {
        for (template, expected) in [
            ("/", "/"),
            ("/guide/", "/guide"),
            ("/guide/{service}/", "/guide/:service"),
            ("/i/{id}/event.ics", "/i/:id/event.ics"),
            ("/{*path}", "/..."),
            ("/pages/{*path}", "/pages/..."),
            ("/%EA%B0%80/{a}/{b}", "/%EA%B0%80/:a/:b"),
        ] {
            assert_eq!(spelt(template).as_deref(), Ok(expected), "{template}");
        }
        for (template, word) in [
            ("/i/{id}.html", "part of one"),
            ("/i/v{id}", "part of one"),
            ("/i/{the-id}", "name"),
            ("/a:b", "wildcard"),
            ("/.../x", "wildcard"),
            ("/a//b", "empty segment"),
        ] {
            let why = spelt(template).unwrap_err();
            assert!(why.contains(word), "{template}: {why}");
        }
    }
}
