//! Objects of the release in use that go bad on this disk while it is served.

use std::path::PathBuf;

use fs_err as fs;
use snapshot::{Digest, Key, Value};

use super::super::{DamageStatus, SyncStatus};
use super::{Stand, flip, stand};
use crate::copy::{Kind, ReadError};
use crate::fixture::{BLOB, Draft};

impl Stand {
    /// Where an object lies on the edge's disk.
    fn on_disk(&self, object: &Digest) -> PathBuf {
        let name = object.to_string();
        let objects = self.data.path().join("sites/dasom/objects");
        objects.join(&name[..2]).join(&name)
    }

    /// Reads a page, as an answer does: whole.
    fn read(&self, n: u32) -> Result<Vec<u8>, ReadError> {
        let current = self.edge.state.current().unwrap();
        let key = Key::new(format!("{n:04}.html")).unwrap();
        let pages = "pages".parse().unwrap();
        match current.get(&pages, &key)?.unwrap() {
            Value::Inline(bytes) => Ok(bytes),
            Value::Blob(entry) => {
                let whole = current.blob(&pages, &entry)?.whole();
                whole.map_err(|error| ReadError::Blob(Box::new(error.into())))
            }
        }
    }

    /// Waits until `object` is named as damaged and `holds`.
    async fn damaged(&self, object: &str, holds: impl Fn(&DamageStatus) -> bool) -> DamageStatus {
        let find = |status: &SyncStatus| {
            let mut damaged = status.damaged.iter();
            let named = damaged.find(|damaged| damaged.object == object);
            named.filter(|damaged| holds(damaged)).cloned()
        };
        let status = self
            .edge
            .until("told", |status| find(status).is_some())
            .await;
        find(&status).unwrap()
    }

    /// The blob of the release in use.
    fn blob(&self) -> Digest {
        let current = self.edge.state.current().unwrap();
        let key = Key::new(format!("{BLOB:04}.html")).unwrap();
        match current.get(&"pages".parse().unwrap(), &key).unwrap() {
            Some(Value::Blob(entry)) => entry.digest,
            other => panic!("expected a blob: {other:?}"),
        }
    }
}

fn repaired(damaged: &DamageStatus) -> bool {
    damaged.repaired_at.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_goes_bad_is_fetched_again() {
    let stand = stand().await;
    let segment = stand.first.manifest.collections[0].segments[0].id;
    let before = stand.read(0).unwrap();
    // In the first leaf.
    flip(&stand.on_disk(&segment), 1000);
    let error = stand.read(0).unwrap_err();
    assert!(matches!(error, ReadError::Segment(_)), "{error}");
    // Leaves of the same segment that are whole still answer.
    stand.read(399).unwrap();
    let told = stand.damaged(&format!("segment {segment}"), repaired).await;
    assert!(told.reason.contains("hash"), "{told:?}");
    assert_eq!((told.times, told.error), (1, None));
    assert_eq!(stand.read(0).unwrap(), before);
    assert!(stand.edge.state.current().unwrap().damage.is_empty());
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_goes_bad_or_away_is_fetched_again() {
    let stand = stand().await;
    let (blob, before) = (stand.blob(), stand.read(BLOB).unwrap());
    flip(&stand.on_disk(&blob), 100_000);
    stand.read(BLOB).unwrap_err();
    let told = stand.damaged(&format!("blob {blob}"), repaired).await;
    assert!(told.reason.contains("other bytes"), "{told:?}");
    assert_eq!(stand.read(BLOB).unwrap(), before);
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_whole_after_all_is_not_fetched() {
    let stand = stand().await;
    let blob = stand.blob();
    // No mirror has it: only the disk can bring it back.
    fs::remove_file(stand.publisher.object(&blob)).unwrap();
    let current = stand.edge.state.current().unwrap();
    let (digest, kind) = (blob, Kind::Blob(200_000));
    let want = crate::copy::Want { digest, kind };
    current.damage.note(want, "interrupted".to_owned());
    stand.damaged(&format!("blob {blob}"), repaired).await;
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_mirror_gone_the_rest_still_answers() {
    let stand = stand().await;
    let segment = stand.first.manifest.collections[0].segments[0].id;
    fs::remove_dir_all(stand.publisher.mirror()).unwrap();
    flip(&stand.on_disk(&segment), 1000);
    stand.read(0).unwrap_err();
    let failed = |damaged: &DamageStatus| damaged.error.is_some();
    let told = stand.damaged(&format!("segment {segment}"), failed).await;
    assert_eq!(told.repaired_at, None);
    assert!(told.error.unwrap().contains("not there"));
    stand.read(0).unwrap_err();
    stand.read(399).unwrap();
    assert_eq!(stand.edge.state.current().unwrap().damage.len(), 1);
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_release_fetches_what_is_damaged_of_it() {
    let stand = stand().await;
    let segment = stand.first.manifest.collections[0].segments[0].id;
    let object = stand.publisher.object(&segment);
    let kept = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    flip(&stand.on_disk(&segment), 1000);
    stand.read(0).unwrap_err();
    let failed = |damaged: &DamageStatus| damaged.error.is_some();
    stand.damaged(&format!("segment {segment}"), failed).await;
    // Now left alone for a while; the next release has the very same segment.
    fs::write(&object, kept).unwrap();
    let mut next = Draft::new(2);
    next.title = Draft::new(1).title;
    next.accepts_shrink = true;
    let next = stand.publisher.publish(&next);
    assert_eq!(next.manifest.collections[0].segments[0].id, segment);
    stand.edge.serves(2).await;
    stand.read(0).unwrap();
    stand.edge.stop().await;
}
