//! Edges as others find them: by the sources of those that were asked.

use std::collections::BTreeMap;

use super::View;

/// An edge that others have as a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerView<'v> {
    /// Its peer listener, which says nothing of where it could be asked how it is.
    pub url: &'v str,
    /// How many sites of edges have it as a source.
    pub known_to: usize,
    /// For how many of those it answers.
    pub answers: usize,
    /// The newest release that it offers to any.
    pub offers: Option<u64>,
    /// When it last answered anybody.
    pub last_answer: Option<&'v str>,
    /// Why it is of no use to one of them.
    pub error: Option<&'v str>,
}

impl View {
    /// The peers of every edge that answers, by URL.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerView<'_>> {
        let mut peers: BTreeMap<&str, PeerView<'_>> = BTreeMap::new();
        let sites = self.edges.iter().flat_map(|edge| &edge.sites);
        let sources = sites.flat_map(|site| &site.sources);
        for source in sources.filter(|source| source.peer) {
            let peer = peers.entry(&source.url).or_insert_with(|| PeerView {
                url: &source.url,
                ..PeerView::default()
            });
            peer.known_to += 1;
            peer.answers += usize::from(source.error.is_none());
            peer.offers = peer.offers.max(source.offers);
            peer.last_answer = peer.last_answer.max(source.last_answer.as_deref());
            peer.error = peer.error.or(source.error.as_deref());
        }
        peers.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::EdgeView;
    use super::*;

    #[test]
    fn a_peer_is_what_all_who_know_it_find() {
        let edge = |sources| EdgeView::of(&json!({"sites": [{"sources": sources}]}), None);
        let (near, far) = ("http://10.0.0.3:8443/", "http://10.0.0.4:8443/");
        let view = View {
            at: String::new(),
            edges: vec![
                edge(json!([
                    {"url": near, "peer": true, "offers": 7, "last_answer": "2026-11-30T14:00:00Z"},
                    {"url": "http://mirror/", "offers": 9},
                ])),
                edge(json!([
                    {"url": far, "peer": true, "error": "refused"},
                    {"url": near, "peer": true, "error": "reset", "last_answer": "2026-11-30T13:00:00Z"},
                ])),
            ],
        };
        let peers = view.peers();
        let expected = PeerView {
            url: near,
            known_to: 2,
            answers: 1,
            offers: Some(7),
            last_answer: Some("2026-11-30T14:00:00Z"),
            error: Some("reset"),
        };
        assert_eq!(peers[0], expected);
        assert_eq!((peers[1].url, peers[1].answers, peers.len()), (far, 0, 2));
    }
}
