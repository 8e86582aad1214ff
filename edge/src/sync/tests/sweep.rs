//! Sweeping while releases come in: what a release is made of is there when it is in use, whatever of
//! it was found here and was about to go.

use std::sync::atomic::AtomicBool;

use snapshot::Store;

use crate::config::{Keep, Site};
use crate::fixture::{Draft, Following, Published, Publisher, config};

/// What happens next.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// One of few contents, so that an older one comes again.
    content: u8,
    /// The release says that something was erased: all before it goes at once, without grace.
    erases: bool,
    /// The edge takes it up before the next one is there.
    waits: bool,
}

/// A history that `seed` gives.
fn steps(seed: u64) -> Vec<Step> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: u64| {
        // xorshift64.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let count = 4 + next(8);
    let steps = (0..count).map(|_| Step {
        content: next(4) as u8,
        erases: next(2) == 0,
        waits: next(2) == 0,
    });
    steps.collect()
}

fn publish(publisher: &Publisher, sequence: u64, step: Step) -> Published {
    let content = u32::from(step.content);
    publisher.publish(&Draft {
        // The blob is in some of them.
        records: 5 + content * 40,
        title: format!("다솜 {content}"),
        accepts_shrink: true,
        release: if step.erases {
            |release| release.erased = release.sequence
        } else {
            |_| {}
        },
        ..Draft::new(sequence)
    })
}

/// Every object of it lies in the edge's store.
fn is_whole(store: &Store, published: &Published) {
    let (manifest, go) = (&published.manifest, AtomicBool::new(false));
    assert!(store.contains(&published.release.manifest));
    for collection in &manifest.collections {
        for entry in &collection.segments {
            let blobs = store.blobs(entry, &manifest.site, &collection.name, &go);
            for blob in blobs.unwrap() {
                assert!(store.contains(&blob), "blob {blob}");
            }
        }
    }
}

async fn plays(steps: &[Step]) {
    let (publisher, data) = (Publisher::new(), tempfile::tempdir().unwrap());
    let site = Site {
        keep: Keep {
            grace: std::time::Duration::ZERO,
            ..Keep::default()
        },
        ..config(vec![publisher.url()])
    };
    let edge = Following::start(data.path(), &site).await;
    let store = Store::open_shared(data.path().join("sites/dasom")).unwrap();
    let (mut erased, last) = (0, steps.len());
    for (at, step) in steps.iter().enumerate() {
        let sequence = at as u64 + 1;
        let published = publish(&publisher, sequence, *step);
        if step.erases {
            erased = sequence;
        }
        if step.waits || at + 1 == last {
            let status = edge.serves(sequence).await;
            assert!(status.refusals.is_empty(), "{:?}", status.refusals);
            assert!(status.remarks.is_empty(), "{:?}", status.remarks);
            is_whole(&store, &published);
            if at + 1 == last && step.erases {
                let gone = edge.until("rid of what came before", |s| s.store.erased == erased);
                assert_eq!(gone.await.store.releases, [erased]);
                is_whole(&store, &published);
            }
        }
    }
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_in_mid_sync_loses_nothing_to_its_sweep() {
    for seed in 0..24 {
        println!("seed {seed}");
        plays(&steps(seed)).await;
    }
}
