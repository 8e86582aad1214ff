//! The orders before the one in force. Each names the one it follows by its hash, and lies by that hash on
//! the mirrors, and the last of them on every edge: so whoever can read the order in force can read back
//! from it, and believes what he finds, since what is signed names it.

use std::time::Duration;

use futures::future::join_all;
use snapshot::{Digest, Envelope, limits};

use super::mirrors::Known;
use crate::cmd::ops::Settings;
use crate::sync::{Mirror, Place};

/// Most orders of one scope that are read back.
const BACK: usize = 1000;

/// Lets `known` be read once others follow it. An edge does so by itself.
pub(super) async fn keep(mirror: &Mirror, settings: &Settings, known: &Known) {
    if mirror.is_edge() {
        return;
    }
    let Ok(bytes) = known.envelope.to_bytes() else {
        return;
    };
    let place = Place::past(&settings.site, &known.digest);
    // No order waits for this: without it there is one path less to go back by.
    if let Err(error) = mirror.put(&place, bytes).await {
        tracing::debug!(%place, %error, "a past order is not kept");
    }
}

/// The order of that hash, from any of these sources, with the source.
pub(super) async fn find(
    settings: &Settings,
    sources: &[Mirror],
    order: Digest,
) -> Option<(Known, String)> {
    let place = &Place::past(&settings.site, &order);
    let each = sources.iter().map(async |source| {
        let bytes = source.read(place, limits::ENVELOPE_BYTES).await.ok()??;
        let envelope = Envelope::from_bytes(&bytes).ok()?;
        let known = Known::of(&envelope).filter(|known| known.digest == order)?;
        Some((known, source.url().to_string()))
    });
    join_all(each).await.into_iter().flatten().next()
}

/// What came before `newest`, newest first, as far back as it can be read, or was signed within `since`.
pub(super) async fn all(
    settings: &Settings,
    sources: &[Mirror],
    newest: &Known,
    since: Duration,
) -> Vec<(Known, String)> {
    let now = crate::sync::wall_clock();
    let mut found: Vec<(Known, String)> = Vec::new();
    let mut next = newest.order.predecessor;
    while let Some(order) = next.filter(|_| found.len() < BACK) {
        let Some(before) = find(settings, sources, order).await else {
            break;
        };
        if before.0.order.signed_at.plus(since) < now {
            break;
        }
        next = before.0.order.predecessor;
        found.push(before);
    }
    found
}

#[cfg(test)]
mod tests {
    use snapshot::order::Mode;
    use snapshot::{Epoch, encode};

    use super::*;
    use crate::fixture::{Publisher, order, site};

    #[tokio::test]
    async fn no_more_orders_are_read_back_than_that() {
        let publisher = Publisher::new();
        let mirror = Mirror::open(&publisher.url()).unwrap();
        let settings = Settings::of(site(), mirror.clone());
        let mut newest: Option<Known> = None;
        for epoch in 1..=BACK as u64 + 2 {
            let mut next = order("service:pay", epoch, Mode::Degraded);
            next.predecessor = newest.as_ref().map(|newest| newest.digest);
            let known = Known::of(&Envelope::seal(encode(&next).unwrap())).unwrap();
            keep(&mirror, &settings, &known).await;
            newest = Some(known);
        }
        let (newest, sources) = (newest.unwrap(), [mirror]);
        let since = Duration::MAX;
        let found = all(&settings, &sources, &newest, since).await;
        assert_eq!(found.len(), BACK);
        let (oldest, from) = found.last().unwrap();
        assert_eq!(oldest.order.epoch, Epoch(2));
        assert_eq!(*from, settings.paths().unwrap()[0].url().to_string());
        // What lies under the name of another is not it.
        let first = found.first().unwrap().0.digest;
        let other = Place::past(&site(), &oldest.digest);
        publisher.put(&other, &newest.envelope.to_bytes().unwrap());
        assert!(find(&settings, &sources, oldest.digest).await.is_none());
        assert!(find(&settings, &sources, first).await.is_some());
    }
}
