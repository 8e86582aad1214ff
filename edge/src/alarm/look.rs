//! Seeing what alarms are judged by, and saying what changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::statvfs;
use tokio::task::spawn_blocking;

use super::{Alarm, Alarms, CertificateEnd, Change, Seen};
use crate::log::{Event, Log};
use crate::sync::{SiteState, wall_clock};

/// How often.
const EVERY: Duration = Duration::from_secs(1);

/// Where to look for one site.
#[derive(Clone, Debug)]
pub struct Look {
    /// The site.
    pub site: Arc<SiteState>,
    /// Its alarms.
    pub alarms: Arc<Alarms>,
    /// The data directory.
    pub data: PathBuf,
    /// The log, whose disk may fail.
    pub log: Log,
    /// When certificates of this edge and its fleet end.
    pub certificates: Vec<CertificateEnd>,
    /// The most that the release in use may be old, if its routes do not say.
    pub age: Option<Duration>,
}

/// Looks for as long as it is polled.
pub async fn look(at: Look) {
    loop {
        let seen = at.see().await;
        for change in at.alarms.are(seen.now, seen.conditions()) {
            at.tell(change);
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl Look {
    async fn see(&self) -> Seen {
        let data = self.data.clone();
        let free = spawn_blocking(move || {
            let disk = statvfs(&data).ok()?;
            Some(disk.f_bavail.saturating_mul(disk.f_frsize))
        });
        let free = free.await.ok().flatten();
        self.site.has_free(free);
        let now = self.site.edge_time();
        let release = self.site.current();
        let age = release.as_ref().and_then(|release| {
            let strictest = release
                .manifest
                .routes
                .iter()
                .map(|route| route.stale_after_s);
            let most = self
                .age
                .or_else(|| strictest.min().map(Duration::from_secs));
            Some((now.since(release.release.as_of), most?))
        });
        Seen {
            now,
            wall: wall_clock(),
            age,
            faults: self.site.faults(),
            damaged: release.map_or(0, |release| release.damage.len()),
            free,
            log: self.log.failing(),
            certificates: self.certificates.clone(),
        }
    }

    fn tell(&self, change: Change) {
        let site = self.site.name();
        match change {
            Change::Raised(alarm, why) => {
                tracing::error!(%site, alarm = alarm.as_str(), "alarm: {why}");
                let alarm = alarm.as_str().to_owned();
                self.site.note(Event::AlarmRaised { alarm, why });
            }
            Change::Cleared(alarm, since) => {
                let (alarm, since) = (Alarm::as_str(alarm).to_owned(), since.rfc3339());
                tracing::info!(%site, alarm, since, "the alarm is over");
                self.site.note(Event::AlarmCleared { alarm, since });
            }
        }
    }
}
