//! A fleet as one picture: every edge that is known, and how each says it is.
//!
//! An edge is asked at its control listener, and is believed as far as it is understood: what another
//! version says more is passed over, what it does not say is empty. Edges that are known only as peers
//! of others, by what those have as sources, are told apart: nobody has said where they can be asked.

mod look;
mod peers;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use look::{AT_ONCE, EDGES, Fleet, PICTURE_BYTES, look, look_at};
pub use peers::PeerView;

/// The page of the control listener that shows a [`View`], and follows it.
pub const PAGE: &str = include_str!("page.html");
/// What the page may do: run what stands in it, ask where it came from, and nothing else.
pub const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                          connect-src 'self'; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'";

/// What `/fleet.json` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// When it was looked, by the clock of who looked.
    pub at: String,
    /// Every edge that was asked, the one that looked first.
    pub edges: Vec<EdgeView>,
}

/// One edge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EdgeView {
    /// Its control listener; `null`: the edge that looked.
    pub url: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Why nothing is known of it now.
    pub error: Option<String>,
    /// Its sites.
    pub sites: Vec<SiteView>,
}

/// One site of an edge: what of its status a picture needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteView {
    /// The site's name.
    pub site: String,
    /// The release in use.
    pub release: Option<ReleaseView>,
    /// `fresh`, `stale` or `too-old`.
    pub freshness: Option<String>,
    /// The release that the edge is too old for.
    pub left_behind: Option<LeftBehindView>,
    /// What sync is doing.
    pub doing: String,
    /// Mirrors and peers.
    pub sources: Vec<SourceView>,
    /// Releases that were not used, newest first.
    pub refusals: Vec<RefusalView>,
    /// Which of the five alarms are raised.
    pub alarms: Vec<RaisedView>,
    /// Objects found damaged.
    pub damaged: Vec<DamageView>,
    /// The order of each scope.
    pub orders: Vec<OrderView>,
    /// Who answers for each service.
    pub services: Vec<ServiceView>,
}

/// A release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReleaseView {
    /// Its sequence.
    pub sequence: u64,
    /// Its manifest's digest.
    pub manifest: String,
    /// When it was known to be true.
    pub as_of: String,
    /// Its age, seconds.
    pub age_s: u64,
}

/// A release that an edge is too old for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftBehindView {
    /// Its sequence.
    pub release: u64,
    /// The version it needs.
    pub needs: String,
}

/// A mirror or a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceView {
    /// Its URL.
    pub url: String,
    /// Whether it is another edge.
    pub peer: bool,
    /// When it last answered.
    pub last_answer: Option<String>,
    /// The sequence it offers.
    pub offers: Option<u64>,
    /// Why it is of no use now.
    pub error: Option<String>,
}

/// A release that was not used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefusalView {
    /// Its sequence.
    pub sequence: Option<u64>,
    /// The check it did not pass.
    pub check: String,
    /// Why.
    pub reason: String,
}

/// An alarm that is raised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RaisedView {
    /// Its name.
    pub alarm: String,
    /// Since when.
    pub since: String,
    /// Why.
    pub why: String,
}

/// A damaged object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DamageView {
    /// Its kind and name.
    pub object: String,
    /// When it was repaired.
    pub repaired_at: Option<String>,
}

/// An order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderView {
    /// `site` or `service:NAME`.
    pub scope: String,
    /// Its place in the scope's history.
    pub epoch: u64,
    /// BLAKE3 of its signed bytes.
    pub digest: String,
    /// The mode in force.
    pub mode: String,
    /// When a forced mode ends.
    pub ends_at: Option<String>,
    /// How many notices it carries.
    pub notices: u64,
    /// Who wrote it.
    pub who: String,
    /// Their reason.
    pub why: String,
}

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// `normal`, `probing` or `degraded`.
    pub state: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Option<String>,
    /// The percentage of its reads that a rehearsal takes.
    pub rehearsing_percent: Option<u8>,
}

impl EdgeView {
    /// What `status`, the answer of `/status`, says.
    #[must_use]
    pub fn of(status: &Value, url: Option<String>) -> Self {
        match serde_json::from_value::<Self>(status.clone()) {
            Ok(view) => view.at(url),
            Err(error) => Self::unknown(url, format!("its status is not understood: {error}")),
        }
    }

    /// What an edge says of itself, which was asked there.
    #[must_use]
    pub fn at(self, url: Option<String>) -> Self {
        let error = None;
        Self { url, error, ..self }
    }

    /// One of which nothing is known.
    #[must_use]
    pub fn unknown(url: Option<String>, error: String) -> Self {
        Self {
            url,
            error: Some(error),
            ..Self::default()
        }
    }

    /// Its name, or where it is.
    #[must_use]
    pub fn shown(&self) -> &str {
        let known = self.name.as_deref().or(self.url.as_deref());
        known.unwrap_or("an edge")
    }
}

impl SiteView {
    /// What people should look at, most pressing first; empty if nothing.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Some(behind) = &self.left_behind {
            let LeftBehindView { release, needs } = behind;
            troubles.push(format!("release {release} needs edge {needs}"));
        }
        if self
            .freshness
            .as_deref()
            .is_some_and(|freshness| freshness != "fresh")
        {
            troubles.extend(
                self.freshness
                    .iter()
                    .map(|freshness| format!("data {freshness}")),
            );
        }
        let silent = self
            .sources
            .iter()
            .filter(|source| source.error.is_some())
            .count();
        if silent > 0 {
            troubles.push(format!(
                "{silent} of {} sources do not answer",
                self.sources.len()
            ));
        }
        let held = self.release.as_ref().map_or(0, |release| release.sequence);
        let refused = self
            .refusals
            .iter()
            .find(|refusal| refusal.sequence > Some(held));
        if let Some(refusal) = refused {
            let sequence = refusal.sequence.unwrap_or_default();
            troubles.push(format!("release {sequence} refused: {}", refusal.check));
        }
        let damaged = self
            .damaged
            .iter()
            .filter(|damage| damage.repaired_at.is_none())
            .count();
        if damaged > 0 {
            troubles.push(format!("{damaged} damaged objects"));
        }
        troubles.extend(
            self.alarms
                .iter()
                .map(|raised| format!("alarm: {}", raised.alarm)),
        );
        troubles
    }
}

impl View {
    /// The newest release of `site` that any edge has.
    #[must_use]
    pub fn newest(&self, site: &str) -> u64 {
        let sites = self.edges.iter().flat_map(|edge| &edge.sites);
        let releases = sites
            .filter(|known| known.site == site)
            .filter_map(|s| s.release.as_ref());
        releases
            .map(|release| release.sequence)
            .max()
            .unwrap_or_default()
    }

    /// The scopes of `site` for which `edge` has an older order than another edge, or none.
    #[must_use]
    pub fn lacks_orders(&self, edge: &SiteView) -> Vec<String> {
        let sites = self.edges.iter().flat_map(|edge| &edge.sites);
        let orders = sites
            .filter(|known| known.site == edge.site)
            .flat_map(|known| &known.orders);
        let newer = orders.filter(|order| {
            let own = edge.orders.iter().find(|own| own.scope == order.scope);
            own.is_none_or(|own| own.epoch < order.epoch)
        });
        let mut scopes: Vec<String> = newer.map(|order| order.scope.clone()).collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn site(sequence: u64, epoch: u64) -> Value {
        json!({
            "site": "dasom",
            "release": {"sequence": sequence, "age_s": 5},
            "freshness": "fresh",
            "sources": [{"url": "a"}, {"url": "b", "error": "refused"}],
            "refusals": [{"sequence": 9, "check": "canary"}, {"sequence": 3, "check": "trust"}],
            "orders": [{"scope": "site", "epoch": epoch}],
            "never": "heard of",
        })
    }

    #[test]
    fn what_an_edge_of_another_version_says_is_taken_as_far_as_it_is_understood() {
        let status = json!({"name": "seoul-1", "sites": [site(7, 2)], "more": {}});
        let view = EdgeView::of(&status, Some("http://10.0.0.1:8081/".to_owned()));
        assert_eq!((view.shown(), view.version.as_deref()), ("seoul-1", None));
        assert_eq!(view.sites[0].release.as_ref().unwrap().sequence, 7);
        let nonsense = EdgeView::of(&json!({"sites": 1}), None);
        assert!(nonsense.error.unwrap().contains("not understood"));
    }

    #[test]
    fn who_is_behind_and_what_is_amiss_is_seen() {
        let edge = |name: &str, site| EdgeView::of(&json!({"name": name, "sites": [site]}), None);
        let view = View {
            at: String::new(),
            edges: vec![edge("a", site(7, 2)), edge("b", site(8, 3))],
        };
        assert_eq!(view.newest("dasom"), 8);
        assert_eq!(view.newest("other"), 0);
        let (a, b) = (&view.edges[0].sites[0], &view.edges[1].sites[0]);
        assert_eq!(view.lacks_orders(a), ["site"]);
        assert!(view.lacks_orders(b).is_empty());
        let expected = ["1 of 2 sources do not answer", "release 9 refused: canary"];
        assert_eq!(a.troubles(), expected);
    }
}
