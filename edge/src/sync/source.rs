//! One mirror or peer, and what it last said.

use snapshot::{SiteName, limits};
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
    /// The release it offers, if that needs a later edge.
    pub(super) beyond: Option<Beyond>,
    pub(super) status: SourceStatus,
}

/// What a poll brought.
pub(super) struct Answers {
    pub(super) release: Result<Fetched, MirrorError>,
    pub(super) orders: Result<Fetched, MirrorError>,
}

impl Source {
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
            beyond: None,
        })
    };
    let mirrors = site.mirrors.iter().map(|url| (url, false));
    let peers = site.peers.iter().map(|url| (url, true));
    mirrors.chain(peers).map(open).collect()
}

/// Asks a mirror for the pointer and the orders at once.
pub(super) async fn poll(
    mirror: &Mirror,
    site: &SiteName,
    release: Option<String>,
    orders: Option<String>,
) -> Answers {
    let (at_release, at_orders) = (Place::release(site), Place::orders(site));
    let (release, orders) = tokio::join!(
        mirror.fetch(&at_release, release.as_deref(), limits::ENVELOPE_BYTES),
        mirror.fetch(&at_orders, orders.as_deref(), limits::BUNDLE_BYTES),
    );
    Answers { release, orders }
}
