//! The way of a request, step by step: those that [`way`] takes, each told and timed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::time::Instant;

use super::super::access::AnsweredBy;
use super::super::edge::Edge;
use super::super::site::Site;
use super::super::target::{authority, host_name};
use super::super::visit::Visit;
use super::super::way;
use super::{Answer, Explanation, Question, Step};
use crate::config::Host;
use crate::page::emergency::Kind;
use crate::page::{Reader, reserved};

/// An explanation while it grows.
#[derive(Debug)]
pub(in super::super) struct Telling {
    pub(in super::super) told: Explanation,
    since: Instant,
}

impl Telling {
    fn new(edge: &str) -> Self {
        let told = Explanation {
            edge: edge.to_owned(),
            site: None,
            route: None,
            service: None,
            orders: Vec::new(),
            release: None,
            component: None,
            collection: None,
            memo: None,
            answer: None,
            without_origin: None,
            steps: Vec::new(),
        };
        Self {
            told,
            since: Instant::now(),
        }
    }

    /// A step ended, which began where the last one did.
    pub(in super::super) fn step(&mut self, step: &str, found: impl IntoIterator<Item = String>) {
        let took = self.since.elapsed();
        self.add(step, found, Some((took.as_secs_f64() * 1e7).round() / 10.0));
        self.since = Instant::now();
    }

    /// A step that takes no time.
    pub(in super::super) fn note(&mut self, step: &str, found: &str) {
        self.add(step, [found.to_owned()], None);
        self.since = Instant::now();
    }

    fn add(&mut self, step: &str, found: impl IntoIterator<Item = String>, took_us: Option<f64>) {
        self.told.steps.push(Step {
            step: step.to_owned(),
            found: found.into_iter().collect(),
            took_us,
        });
    }
}

/// How `edge` would answer.
///
/// # Errors
/// In words, why `question` is none.
pub async fn why(edge: &Arc<Edge>, question: &Question) -> Result<Explanation, String> {
    let head = question.head()?;
    let reader = Reader::new(&head.method, &head.headers);
    let mut telling = Telling::new(&edge.name);
    let refused = |telling: &mut Telling, site: Option<&Site>, kind| {
        let answer = way::refuse(edge, &reader, site, kind);
        telling.told.answer = Some(Answer::of(&answer, AnsweredBy::Edge));
    };
    let Ok(authority) = authority(head.version, &head.uri, &head.headers) else {
        return Err("not a host".to_owned());
    };
    let host = host_name(&authority);
    let Some(site) = edge.sites.find(&host) else {
        refused(&mut telling, None, Kind::Misdirected);
        telling.step("host", unknown_host(edge, &host));
        return Ok(telling.told);
    };
    telling.told.site = Some(site.name.to_string());
    telling.step("host", [format!("{host} is site {}", site.name)]);
    let for_status = edge.sites.is_for_status(&host);
    let path = match way::checked(&head) {
        Ok(path) if for_status => path.or_front(way::STATUS_PAGE),
        Ok(path) => path,
        Err(kind) => {
            refused(&mut telling, Some(site), kind);
            telling.step("route", [format!("none: {}", kind.as_str())]);
            return Ok(telling.told);
        }
    };
    if path.as_str().starts_with(reserved::PREFIX) {
        let answer = way::own_file(edge, site, &reader, &path);
        telling.told.answer = Some(Answer::of(&answer, AnsweredBy::Edge));
        let found = format!(
            "{}*: the edge's own files, whatever the mode",
            reserved::PREFIX
        );
        telling.step("route", [found]);
        return Ok(telling.told);
    }
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let visit = Visit::new(edge, site, head, &reader, &path, authority.as_str(), nobody);
    if for_status && !visit.is_status() {
        visit.tell_elsewhere(&mut telling);
    } else {
        visit.tell(&mut telling).await;
    }
    Ok(telling.told)
}

fn unknown_host(edge: &Edge, host: &str) -> Vec<String> {
    let mut found = vec![
        format!("no site of this edge has the host {host}: 421"),
        "it has these, by `hosts` in edge.toml:".to_owned(),
    ];
    for site in edge.sites.iter() {
        let hosts: Vec<String> = site.copy.hosts().iter().map(Host::to_string).collect();
        found.push(format!("  {}: {}", site.name, hosts.join(", ")));
    }
    found
}
