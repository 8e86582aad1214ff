//! A manifest's routes, ready to be looked up.
//!
//! The most specific template wins. A capability is taken out here, before anything that could
//! remember or print it sees the path.

use std::fmt;
use std::sync::Arc;

use snapshot::Manifest;
use snapshot::manifest::Route;

use super::path::{RequestPath, decode};

/// A secret out of a path. Cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Capability(String);

impl Capability {
    /// The secret, for the guest of a `single` route.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A manifest's route that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("route {path}: {problem}")]
pub struct RouteProblem {
    /// The template.
    pub path: String,
    /// What is wrong, and what was expected.
    pub problem: String,
}

/// What stands for the template of a path that takes no route.
const NO_ROUTE: &str = "of no route";

/// The routes of one manifest.
#[derive(Clone)]
pub struct Routes {
    router: matchit::Router<Arc<Route>>,
    count: usize,
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Routes({})", self.count)
    }
}

/// A path and the route it takes.
#[derive(Clone, Debug)]
pub struct Matched {
    /// The route.
    pub route: Arc<Route>,
    /// Path parameters, decoded, without the capability, in the template's order.
    pub params: Vec<(String, String)>,
    /// The capability, if the route has one.
    pub capability: Option<Capability>,
    /// The template filled in without the capability's segment, percent-encoded.
    pub path: String,
}

impl Matched {
    /// For an asset route, the path below its folder; empty where the template names one file.
    #[must_use]
    pub fn below(&self) -> &str {
        self.params.last().map_or("", |(_, value)| value.as_str())
    }
}

impl Routes {
    /// Prepares `manifest`'s routes.
    ///
    /// # Errors
    /// The first route whose template cannot be read, or contradicts another route or itself.
    pub fn new(manifest: &Manifest) -> Result<Self, RouteProblem> {
        let mut router = matchit::Router::new();
        let mut folders = Vec::new();
        for route in &manifest.routes {
            let problem = |problem: String| RouteProblem {
                path: route.path.clone(),
                problem,
            };
            check(route).map_err(problem)?;
            let route = Arc::new(route.clone());
            let template = normal_template(&route.path);
            router
                .insert(template.as_str(), Arc::clone(&route))
                .map_err(|e| problem(e.to_string()))?;
            if let Some(start) = template.find("{*") {
                let folder = template.get(..start).unwrap_or_default().to_owned();
                folders.push((folder, route));
            }
        }
        // `/{*path}` does not match `/` itself, but a folder has an index. A route of its own wins.
        for (folder, route) in folders {
            router.insert(folder, route).ok();
        }
        Ok(Self {
            router,
            count: manifest.routes.len(),
        })
    }

    /// The template of the route that `target`, a path and query, takes: what may be shown of it.
    #[must_use]
    pub fn template(&self, target: &str) -> &str {
        let path = target.split('?').next().unwrap_or_default();
        let Ok(path) = RequestPath::parse(path) else {
            return NO_ROUTE;
        };
        match self.router.at(path.as_str()) {
            Ok(found) => found.value.path.as_str(),
            Err(_) => NO_ROUTE,
        }
    }

    /// The route that `path` takes.
    #[must_use]
    pub fn find(&self, path: &RequestPath) -> Option<Matched> {
        let found = self.router.at(path.as_str()).ok()?;
        let route = Arc::clone(found.value);
        let mut params = Vec::new();
        let mut capability = None;
        let mut filled = without_capability(&route);
        for (name, value) in found.params.iter() {
            let decoded = decode(value)?;
            if route.capability.as_deref() == Some(name) {
                capability = Some(Capability(decoded));
                continue;
            }
            for slot in [format!("{{{name}}}"), format!("{{*{name}}}")] {
                filled = filled.replacen(&slot, value, 1);
            }
            params.push((name.to_owned(), decoded));
        }
        if let Some(start) = filled.find("{*") {
            // The folder itself.
            filled.truncate(start);
        }
        Some(Matched {
            route,
            params,
            capability,
            path: filled,
        })
    }
}

/// The route's template without its capability's segment: of the paths that its component is asked
/// for.
#[must_use]
pub fn without_capability(route: &Route) -> String {
    let template = normal_template(&route.path);
    match &route.capability {
        Some(name) => template.replacen(&format!("/{{{name}}}"), "", 1),
        None => template,
    }
}

fn check(route: &Route) -> Result<(), String> {
    if !route.path.starts_with('/') {
        return Err("expected a template that starts with /".to_owned());
    }
    if route.path.contains("{{") || route.path.contains("}}") {
        return Err("expected braces around parameters only".to_owned());
    }
    if let Some(name) = &route.capability {
        let segment = format!("{{{name}}}");
        if !route.path.split('/').any(|part| part == segment) {
            return Err(format!("expected {segment}, its capability, as a segment"));
        }
    }
    Ok(())
}

/// The template's literal text in the form that [`RequestPath`] gives paths.
pub(super) fn normal_template(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    for c in template.chars() {
        if c.is_ascii_graphic() {
            out.push(c);
        } else {
            out.push_str(&super::path::encode(c.encode_utf8(&mut [0; 4])));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn find(routes: &[Route], path: &str) -> Option<Matched> {
        let routes = Routes::new(&fixture::manifest(routes.to_vec())).unwrap();
        routes.find(&RequestPath::parse(path).unwrap())
    }

    fn town() -> Vec<Route> {
        let with_cap = |path| Route {
            capability: Some("cap".to_owned()),
            ..fixture::component(path, "invitation")
        };
        vec![
            fixture::component("/i/{id}/", "invitation"),
            with_cap("/i/{id}/{cap}/"),
            with_cap("/i/{id}/{cap}/gift"),
            fixture::component("/i/list", "invitation"),
            fixture::component("/모임/{id}/", "view"),
            fixture::assets("/photos/{*path}", "photos"),
            fixture::assets("/{*path}", "assets"),
        ]
    }

    #[test]
    fn the_most_specific_template_wins() {
        for (path, template, filled) in [
            ("/i/abc/", "/i/{id}/", "/i/abc/"),
            ("/i/list", "/i/list", "/i/list"),
            ("/i/abc/s3cret/", "/i/{id}/{cap}/", "/i/abc/"),
            ("/i/abc/s3cret/gift", "/i/{id}/{cap}/gift", "/i/abc/gift"),
            ("/photos/a/b.jpg", "/photos/{*path}", "/photos/a/b.jpg"),
            ("/photos/", "/photos/{*path}", "/photos/"),
            ("/", "/{*path}", "/"),
            ("/x%20y", "/{*path}", "/x%20y"),
            (
                "/%eb%aa%a8%ec%9e%84/7/",
                "/모임/{id}/",
                "/%EB%AA%A8%EC%9E%84/7/",
            ),
        ] {
            let found = find(&town(), path).unwrap();
            assert_eq!(
                (found.route.path.as_str(), found.path.as_str()),
                (template, filled)
            );
        }
    }

    #[test]
    fn a_capability_is_taken_out_and_never_printed() {
        let found = find(&town(), "/i/abc/s3cret/gift").unwrap();
        assert_eq!(found.params, [("id".to_owned(), "abc".to_owned())]);
        assert_eq!(found.capability.as_ref().unwrap().expose(), "s3cret");
        assert!(!format!("{found:?}").contains("s3cret"));
    }

    #[test]
    fn of_a_secret_path_only_the_template_is_shown() {
        let routes = Routes::new(&fixture::manifest(town())).unwrap();
        for (target, shown) in [
            ("/i/abc/s3cret/gift?x=s3cret", "/i/{id}/{cap}/gift"),
            ("/i/%61bc/", "/i/{id}/"),
            ("/../s3cret", "of no route"),
            ("s3cret", "of no route"),
        ] {
            assert_eq!(routes.template(target), shown, "{target}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_what_is_not_utf8_matches_nothing() {
        let routes = [fixture::component("/club/{id}", "view")];
        assert_eq!(find(&routes, "/club/%EA%B0%80").unwrap().below(), "가");
        assert!(find(&routes, "/club/%B0%A1").is_none());
        assert!(find(&routes, "/club/a/b").is_none());
    }

    #[test]
    fn contradictions_are_named() {
        let cap = |path: &str| Route {
            capability: Some("cap".to_owned()),
            ..fixture::component(path, "view")
        };
        for routes in [
            vec![fixture::component("no-slash", "view")],
            vec![fixture::component("/{{x}}", "view")],
            vec![fixture::component("/{id", "view")],
            vec![cap("/i/{id}")],
            vec![cap("/i/x-{cap}")],
            vec![
                fixture::component("/i/{id}", "view"),
                fixture::component("/i/{key}", "view"),
            ],
        ] {
            let last = routes.last().unwrap().path.clone();
            let problem = Routes::new(&fixture::manifest(routes)).unwrap_err();
            assert_eq!(problem.path, last);
        }
    }
}
