//! `spin.toml` and `runtime-config.toml`, and in their comments what Spin itself cannot be told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use edge::answer::{always_told, without_capability};
use snapshot::manifest::{Isolation, Route};
use snapshot::{CollectionName, ComponentName, Manifest, Release};

use super::route::Told;
use super::{COMPONENTS, RUNTIME_CONFIG, STORE};

/// How to run it, and what a proxy in front must do.
const HEAD: &str = "\
# To run it, here:
#
#   spin up --runtime-config-file RUNTIME_CONFIG
#
# It needs a Spin that runs wasi:http 0.3.0 and spin:key-value 3.0.0: 4.1 or newer.
#
# The components are told by header fields what they cannot know. A proxy in front must take away
# every holdfast-* field that a client sent (a client that sets them is believed), take a capability
# out of the path where a route below says so, and send with each request:
#
#   the fields that are listed at the route
#   holdfast-param-NAME   what stands for {NAME} in the path, percent-encoded UTF-8
#   holdfast-language     the reader's language, one of holdfast-languages
#   holdfast-as-of        AS_OF
#   holdfast-freshness    fresh, stale or too-old, by the ages at the route
#   holdfast-modes        SERVICES
#                         (degraded for a service that is down)
#   holdfast-notices      percent-encoded JSON, newest first, [] for none:
#                         [{\"scope\":\"site\",\"at\":\"2026-11-22T05:05:00Z\",\"language\":\"ko\",\"text\":\"...\"}]
#   holdfast-services     percent-encoded JSON: [{\"name\":\"pay\",\"title\":\"...\",\"meanwhile\":\"...\",
#                         \"state\":\"degraded\",\"mode\":\"degraded\",\"since\":\"2026-11-22T05:05:00Z\",
#                         \"back\":null}], null for an unknown since
#
# On status pages notices have \"texts\" as well, services \"titles\" and \"meanwhiles\", each in every
# language: [[\"ko\",\"...\"],[\"en\",\"...\"]]; and there is
#   holdfast-release      RELEASE
#
# Behind Spin there is no banner and no rule of the page's markup (data-needs, data-without), no
# caching rule, no check of the records against the signed release while they are read, and a page
# that is absent is a 404 whatever the age. Files are not served. Paths end in a slash or not: Spin
# does not look at it. What Spin's router cannot express is named below and left out.
";

/// `spin.toml`.
pub(super) fn manifest(release: &Release, manifest: &Manifest, routes: &[Told<'_>]) -> String {
    let modes: Vec<String> = sorted_services(manifest)
        .into_iter()
        .map(|name| format!("{name}=normal"))
        .collect();
    let head = HEAD
        .replace("RUNTIME_CONFIG", RUNTIME_CONFIG)
        .replace("RELEASE", &release.sequence.0.to_string())
        .replace("AS_OF", &release.as_of.floor_minute().rfc3339())
        .replace("SERVICES", &modes.join(","));
    let mut text = format!(
        "# Release {} of the site {}, as of {}, by `origin-sync export spin`.\n#\n{head}\n\
         spin_manifest_version = 2\n\n\
         [application]\nname = \"{}\"\nversion = \"0.0.{}\"\n",
        release.sequence.0,
        release.site,
        release.as_of.rfc3339(),
        release.site,
        release.sequence.0,
    );
    for trigger in triggers(routes) {
        text.push('\n');
        for route in &trigger.routes {
            text.push_str(&told_of(manifest, route));
        }
        let (route, component) = (quoted(&trigger.spin), trigger.component);
        let _ = write!(
            text,
            "[[trigger.http]]\nroute = {route}\ncomponent = \"{component}\"\n"
        );
    }
    for told in routes {
        if let Err(why) = &told.spin {
            let path = visible(&told.route.path);
            let _ = write!(text, "\n# Left out: {path}\n#   {why}\n");
        }
    }
    for (name, stores) in stores(manifest, routes) {
        let stores: Vec<String> = stores.iter().map(|store| format!("\"{store}\"")).collect();
        let _ = write!(
            text,
            "\n[component.{name}]\nsource = \"{COMPONENTS}/{name}.wasm\"\n\
             key_value_stores = [{}]\n",
            stores.join(", "),
        );
    }
    text
}

/// `runtime-config.toml`.
pub(super) fn runtime_config<'a>(labels: impl Iterator<Item = &'a CollectionName>) -> String {
    let mut text = String::from(
        "# Every collection is a label of one file. The path is relative to this file's folder.\n",
    );
    for label in labels {
        let _ = write!(
            text,
            "\n[key_value_store.{label}]\ntype = \"spin\"\npath = \"{STORE}\"\n"
        );
    }
    text
}

/// One trigger: the routes of the site that are one to Spin.
struct Trigger<'a> {
    spin: String,
    component: &'a ComponentName,
    routes: Vec<&'a Route>,
}

fn triggers<'a>(routes: &[Told<'a>]) -> Vec<Trigger<'a>> {
    let mut triggers: Vec<Trigger<'a>> = Vec::new();
    for told in routes {
        let Ok((spin, component)) = &told.spin else {
            continue;
        };
        match triggers.iter_mut().find(|known| &known.spin == spin) {
            Some(known) => known.routes.push(told.route),
            None => triggers.push(Trigger {
                spin: spin.clone(),
                component,
                routes: vec![told.route],
            }),
        }
    }
    triggers
}

/// What a proxy must know of `route`.
fn told_of(manifest: &Manifest, route: &Route) -> String {
    let mut text = format!("# {}\n", visible(&route.path));
    if let Some(name) = &route.capability {
        let asked = without_capability(route);
        let _ = writeln!(text, "#   {{{name}}} is a capability: ask for {asked}");
        if route.isolation == Isolation::Single {
            let _ = writeln!(
                text,
                "#   and hand it over:    holdfast-capability: what stands for {{{name}}}, \
                 percent-encoded"
            );
        }
    }
    if route.isolation == Isolation::Single {
        text.push_str(
            "#   one instance a request, never cached: run with --max-instance-reuse-count 1\n",
        );
    }
    for (name, value) in always_told(manifest, route) {
        let _ = writeln!(text, "#   {name}: {value}");
    }
    if route.now {
        text.push_str("#   holdfast-now: the minute it is, as in holdfast-as-of\n");
    }
    let _ = write!(text, "#   stale after {} s", route.stale_after_s);
    if let Some(too_old) = route.too_old_after_s {
        let _ = write!(text, ", too old after {too_old} s");
    }
    if !route.query.is_empty() {
        let query: Vec<String> = route.query.iter().map(|name| visible(name)).collect();
        let _ = write!(text, "; of the query only: {}", query.join(", "));
    }
    text.push('\n');
    text
}

/// What each component may open: the collections of all routes that Spin answers with it.
fn stores<'a>(
    manifest: &'a Manifest,
    routes: &'a [Told<'a>],
) -> BTreeMap<&'a ComponentName, BTreeSet<&'a CollectionName>> {
    let components = manifest.components.iter();
    let mut stores: BTreeMap<_, BTreeSet<_>> = components
        .map(|component| (&component.name, BTreeSet::new()))
        .collect();
    for told in routes {
        if let Ok((_, component)) = &told.spin {
            stores
                .entry(*component)
                .or_default()
                .extend(&told.route.collections);
        }
    }
    stores
}

fn sorted_services(manifest: &Manifest) -> BTreeSet<&str> {
    let services = manifest.services.iter();
    services.map(|service| service.name.as_str()).collect()
}

/// `text` as a TOML string; JSON's escapes are TOML's too, and [`visible`] leaves no DEL.
fn quoted(text: &str) -> String {
    serde_json::Value::from(visible(text)).to_string()
}

/// `text` on one line of a comment, whatever is in it.
fn visible(text: &str) -> String {
    let seen = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(seen).collect()
}
