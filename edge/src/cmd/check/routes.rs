//! Whether every route of the newest release is asked for before a release is used.

use std::collections::BTreeSet;

use snapshot::Manifest;

use super::finding::{Finding, Topic};
use crate::answer::{RequestPath, Routes};

/// Routes that are named; of more the number is.
const NAMED: usize = 5;

/// Routes that no canary asks for.
pub(super) fn findings(manifest: Option<&Manifest>) -> Vec<Finding> {
    let Some(manifest) = manifest else {
        let problem = "no release can be read from here, so nobody knows what is covered";
        let remedy = "name a mirror that is reached: --mirror URL";
        return vec![Finding::new(Topic::Routes, problem, remedy)];
    };
    let routes = match Routes::new(manifest) {
        Ok(routes) => routes,
        Err(problem) => {
            let remedy = "publish a release whose routes can be served";
            return vec![Finding::new(Topic::Routes, problem.to_string(), remedy)];
        }
    };
    let asked: BTreeSet<String> = manifest
        .canaries
        .iter()
        .filter_map(|canary| RequestPath::parse(canary.path.split('?').next()?).ok())
        .filter_map(|path| Some(routes.find(&path)?.route.path.clone()))
        .collect();
    let missing = manifest.routes.iter().map(|route| route.path.as_str());
    let missing: Vec<&str> = missing.filter(|path| !asked.contains(*path)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let named = missing
        .get(..NAMED.min(missing.len()))
        .unwrap_or_default()
        .join(", ");
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let problem = format!("no canary asks for {named}{more}");
    let remedy = "add a [[canary]] for each to site.toml, and publish";
    vec![Finding::new(Topic::Routes, problem, remedy)]
}
