//! `[[route]]`: which requests are answered how, and which of its URLs are to be counted.

use std::path::Path;
use std::time::Duration;

use edge::settings::{DURATION_MOST, Placed, Section, Span};
use snapshot::manifest::{self, Isolation, Target};
use snapshot::{CollectionName, ComponentName, ServiceName};

use super::source::{self, RowSource};
use crate::template::Template;

/// A route, with what only the publisher needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// As it stands in the manifest.
    pub route: manifest::Route,
    /// The rows that its URLs are made of, for the coverage: each path parameter is the field of
    /// that name.
    pub urls: Option<RowSource>,
}

/// A route as read, before the names in it are looked up.
pub(super) struct Draft {
    pub(super) span: Option<Span>,
    pub(super) path: Option<(Template, Span)>,
    pub(super) service: Option<Placed<ServiceName>>,
    pub(super) component: Option<Placed<ComponentName>>,
    pub(super) assets: Option<Placed<CollectionName>>,
    pub(super) collections: Vec<Placed<CollectionName>>,
    pub(super) isolation: Option<Isolation>,
    pub(super) capability: Option<Placed<String>>,
    pub(super) template: Option<Placed<String>>,
    pub(super) query: Vec<String>,
    pub(super) now: bool,
    pub(super) always: bool,
    pub(super) rewrite: bool,
    pub(super) status: bool,
    pub(super) stale_after: Duration,
    pub(super) too_old_after: Option<Duration>,
    pub(super) urls: Option<RowSource>,
}

/// Age at which pages say how old they are, unless the route says otherwise.
pub const STALE_AFTER: Duration = Duration::from_secs(600);

pub(super) fn read(mut section: Section<'_, '_>, dir: &Path) -> Draft {
    let problems = section.problems();
    let help = "a template: path = \"/i/{id}/\"";
    let path = section.required("path", help, Section::parsed::<Template>);
    let component = section.parsed("component");
    let assets = section.parsed("assets");
    let one_target = section.was_written("component") != section.was_written("assets");
    if !one_target {
        let message = "this route must name exactly one of `component` and `assets`";
        problems.add(section.span(), message);
    }
    let isolation = section.text("isolation");
    let isolation = isolation.and_then(|text| {
        let known = Isolation::from_name(&text.value);
        if known.is_none() {
            problems
                .add(text.span, format!("{:?} is not an isolation", text.value))
                .label("expected single or shared");
        }
        known
    });
    let collections = section.texts("collections").map(|list| list.value);
    let collections = collections
        .unwrap_or_default()
        .iter()
        .filter_map(|name| {
            let value = section.accepted(name, name.value.parse())?;
            let span = name.span;
            Some(Placed { value, span })
        })
        .collect();
    let draft = Draft {
        span: section.span(),
        path: path.map(|at| (at.value, at.span)),
        service: section.parsed("service"),
        component,
        assets,
        collections,
        isolation,
        capability: section.text("capability"),
        template: section.text("template"),
        query: query(&mut section),
        now: section.flag("now").unwrap_or(false),
        always: section.flag("always").unwrap_or(false),
        rewrite: section.flag("rewrite").unwrap_or(true),
        status: section.flag("status").unwrap_or(false),
        stale_after: age(&mut section, "stale-after").unwrap_or(STALE_AFTER),
        too_old_after: age(&mut section, "too-old-after"),
        urls: section
            .section("urls")
            .and_then(|table| source::read_rows(table, dir)),
    };
    if let Some(too_old) = draft.too_old_after
        && too_old <= draft.stale_after
    {
        let message = "`too-old-after` must be later than `stale-after` (10m unless it is set)";
        problems.add(section.span(), message);
    }
    section.finish();
    draft
}

/// An age; the manifest counts in seconds.
fn age(section: &mut Section<'_, '_>, key: &'static str) -> Option<Duration> {
    section.duration(key, Duration::from_secs(1)..=DURATION_MOST)
}

fn query(section: &mut Section<'_, '_>) -> Vec<String> {
    let mut names = source::texts(section, "query");
    names.sort();
    names.dedup();
    names
}

impl Draft {
    /// The route for the manifest, once every name in it was found to be good.
    pub(super) fn resolved(&self, service: ServiceName) -> Option<Route> {
        let (path, _) = self.path.as_ref()?;
        let (target, collections, isolation) = match (&self.component, &self.assets) {
            (Some(component), None) => (
                Target::Component(component.value.clone()),
                self.collections.iter().map(|at| at.value.clone()).collect(),
                Isolation::Single,
            ),
            // Files are public, so one answer may serve many.
            (None, Some(assets)) => (
                Target::Assets(assets.value.clone()),
                vec![assets.value.clone()],
                Isolation::Shared,
            ),
            _ => return None,
        };
        let route = manifest::Route {
            path: path.to_string(),
            service,
            target,
            collections,
            isolation: self.isolation.unwrap_or(isolation),
            capability: self.capability.as_ref().map(|at| at.value.clone()),
            template: self.template.as_ref().map(|at| at.value.clone()),
            query: self.query.clone(),
            now: self.now,
            always: self.always,
            rewrite: self.rewrite,
            status: self.status,
            stale_after_s: self.stale_after.as_secs(),
            too_old_after_s: self.too_old_after.map(|age| age.as_secs()),
        };
        let urls = self.urls.clone();
        Some(Route { route, urls })
    }
}
