//! One mirror or peer, and what it last said.

use snapshot::{Sequence, SiteName, limits};
use url::Url;

use super::behind::Beyond;
use super::kept::OpenError;
use super::layout::Place;
use super::mirror::{Fetched, Mirror, MirrorError};
use super::status::SourceStatus;
use super::work::Offer;
use crate::config::Site;

/// One mirror, and what it last said.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) mirror: Mirror,
    pub(super) release_etag: Option<String>,
    pub(super) release: Option<Vec<u8>>,
    pub(super) offer: Option<Offer>,
    pub(super) orders_etag: Option<String>,
    pub(super) trust_etag: Option<String>,
    /// The release it offers, if that needs a later edge.
    pub(super) beyond: Option<Beyond>,
    pub(super) status: SourceStatus,
}

/// What a poll brought.
pub(super) struct Answers {
    pub(super) release: Result<Fetched, MirrorError>,
    pub(super) orders: Result<Fetched, MirrorError>,
    pub(super) trust: Result<Fetched, MirrorError>,
    /// The statement of the release that is pinned, if it was asked for.
    pub(super) pinned: Option<Result<Fetched, MirrorError>>,
}

/// What is known of each document that is polled.
pub(super) struct Tags {
    pub(super) release: Option<String>,
    pub(super) orders: Option<String>,
    pub(super) trust: Option<String>,
}

impl Source {
    pub(super) fn tags(&self) -> Tags {
        Tags {
            release: self.release_etag.clone(),
            orders: self.orders_etag.clone(),
            trust: self.trust_etag.clone(),
        }
    }

    /// Somebody else is believed now: whatever it said is judged anew, without being sent again where
    /// it is kept.
    pub(super) fn reconsider(&mut self) {
        self.offer = None;
        self.beyond = None;
        self.orders_etag = None;
        self.trust_etag = None;
    }

    pub(super) fn forget(&mut self) {
        self.release_etag = None;
        self.release = None;
        self.offer = None;
        self.beyond = None;
        self.status.offers = None;
    }
}

/// The mirrors of a site, then its peers, in their order.
pub(super) fn sources(site: &Site) -> Result<Vec<Source>, OpenError> {
    let open = |(url, peer): (&Url, bool)| {
        let mut mirror = Mirror::open(url);
        if peer {
            mirror = mirror.and_then(|mirror| mirror.showing(&site.shown));
        }
        let mirror = mirror.map_err(|error| OpenError::Mirror {
            site: site.name.clone(),
            source: Box::new(error),
        })?;
        Ok(Source {
            status: SourceStatus {
                url: url.to_string(),
                peer,
                ..SourceStatus::default()
            },
            mirror,
            release_etag: None,
            release: None,
            offer: None,
            orders_etag: None,
            trust_etag: None,
            beyond: None,
        })
    };
    let mirrors = site.mirrors.iter().map(|url| (url, false));
    let peers = site.peers.iter().map(|url| (url, true));
    mirrors.chain(peers).map(open).collect()
}

/// Asks a mirror for the pointer, the orders and the chain of trust at once, and for the statement of
/// one release, if that is looked for.
pub(super) async fn poll(
    mirror: &Mirror,
    site: &SiteName,
    tags: Tags,
    looked_for: Option<Sequence>,
) -> Answers {
    let (at_release, at_orders) = (Place::release(site), Place::orders(site));
    let at_trust = Place::trust(site);
    let pinned = async {
        let at = Place::retained(site, looked_for?);
        Some(mirror.fetch(&at, None, limits::ENVELOPE_BYTES).await)
    };
    let (release, orders, trust, pinned) = tokio::join!(
        mirror.fetch(&at_release, tags.release.as_deref(), limits::ENVELOPE_BYTES),
        mirror.fetch(&at_orders, tags.orders.as_deref(), limits::BUNDLE_BYTES),
        mirror.fetch(&at_trust, tags.trust.as_deref(), limits::CHAIN_BYTES),
        pinned,
    );
    Answers {
        release,
        orders,
        trust,
        pinned,
    }
}
