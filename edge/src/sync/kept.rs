//! What a disk holds of a site, read at the start.

use std::path::Path;
use std::sync::Arc;

use snapshot::trust::Generation;
use snapshot::{SiteName, Store, StoreError};

use super::journal::Journal;
use super::mirror::MirrorError;
use super::sweep::Sweeping;
use crate::config::Keep;
use crate::mode::memory;
use crate::orders::OrdersKeeper;
use crate::trust::{Local, TrustKeeper};

/// Why a site cannot be kept on this disk at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store: held by another process, or not to be made.
    #[error("site {site}: {source}")]
    Store {
        /// The site.
        site: SiteName,
        /// What is wrong.
        source: Box<StoreError>,
    },
    /// A mirror that this build cannot reach.
    #[error("site {site}: {source}")]
    Mirror {
        /// The site.
        site: SiteName,
        /// What is wrong.
        source: Box<MirrorError>,
    },
    /// The runtime is going down.
    #[error("stopped while opening")]
    Stopped,
}

/// What a disk holds of a site.
pub(super) struct Kept {
    pub(super) store: Store,
    pub(super) journal: Journal,
    pub(super) orders: OrdersKeeper,
    pub(super) trust: TrustKeeper,
    pub(super) sweeping: Sweeping,
    pub(super) modes: memory::Services,
    pub(super) alarms: Vec<String>,
    /// What could not be read, and is as if it had never been, until it is written anew.
    pub(super) damaged: Vec<(&'static str, String)>,
}

impl Kept {
    /// Opens the store. What is damaged is left out, with an alarm for each.
    pub(super) fn open(
        root: &Path,
        site: &SiteName,
        files: &Arc<Generation>,
        keep: Keep,
    ) -> Result<Self, StoreError> {
        let store = Store::open(root)?;
        let (mut alarms, mut damaged) = (Vec::new(), Vec::new());
        if store.is_read_only() {
            let root = root.display();
            alarms.push(format!(
                "the disk at {root} is read-only: what it holds is served, nothing new is kept"
            ));
        }
        let journal = Journal::read(&store).unwrap_or_else(|error| {
            let why = format!("{error}: an older release would not be noticed as one");
            damaged.push(("store", why));
            Journal::default()
        });
        let orders = OrdersKeeper::open(&store, site.clone()).unwrap_or_else(|error| {
            let why = format!("{error}: no order is in force until a mirror or a peer gives one");
            damaged.push(("orders", why));
            OrdersKeeper::empty(site.clone())
        });
        alarms.extend(damaged.iter().map(|(_, why)| why.clone()));
        let (trust, alarm) = believed(&store, site, files);
        alarms.extend(alarm);
        let modes = memory::read(&store).unwrap_or_else(|error| {
            alarms.push(format!(
                "{error}: how each service's origin was is not known, so every breaker starts anew"
            ));
            memory::Services::new()
        });
        let (sweeping, alarm) = Sweeping::open(&store, keep);
        alarms.extend(alarm);
        Ok(Self {
            store,
            journal,
            orders,
            trust,
            sweeping,
            modes,
            alarms,
            damaged,
        })
    }
}

/// Whom this edge believed when it stopped, unless the site's own files say otherwise by now; and an
/// alarm if that cannot be told or kept.
fn believed(
    store: &Store,
    site: &SiteName,
    files: &Arc<Generation>,
) -> (TrustKeeper, Option<String>) {
    let anew = || TrustKeeper::new(site.clone(), Arc::clone(files));
    let (keeper, changed) = match TrustKeeper::open(store, site.clone()) {
        Ok(Some(mut keeper)) => {
            let changed = keeper.look(Arc::clone(files)) != Local::Unchanged;
            (keeper, changed)
        }
        Ok(None) => (anew(), true),
        Err(error) => {
            let alarm = format!(
                "{error}: the generation of the trust files is in force until a mirror or a peer gives a later one"
            );
            return (anew(), Some(alarm));
        }
    };
    let kept = match changed && !store.is_read_only() {
        true => keeper.keep(store),
        false => Ok(()),
    };
    let alarm = kept.err().map(|error| error.to_string());
    (keeper, alarm)
}
