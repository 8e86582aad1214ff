//! Objects on a mirror that are damaged, cut short, too large or gone.

use fs_err as fs;

use super::{cut, flip, stand};
use crate::fixture::{Draft, Following, Publisher, config};

#[tokio::test(flavor = "multi_thread")]
async fn flipped_byte_in_a_segment() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    let segment = bad.manifest.collections[0].segments[0].id;
    flip(&stand.publisher.object(&segment), 1000);
    stand.publisher.point(&bad.envelope);
    let url = stand.publisher.url().to_string();
    let refusal = stand.refuses("object", "segment at rest", 3).await;
    assert_eq!(refusal.object, Some(format!("segment {segment}")));
    assert_eq!(refusal.source, Some(url));
    assert_eq!(refusal.sequence, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_byte_in_a_manifest() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    flip(&stand.publisher.object(&bad.release.manifest), 20);
    stand.publisher.point(&bad.envelope);
    let refusal = stand.refuses("object", "hash", 3).await;
    assert_eq!(
        refusal.object,
        Some(format!("manifest {}", bad.release.manifest))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_segment() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    cut(&stand
        .publisher
        .object(&bad.manifest.collections[0].segments[0].id));
    stand.publisher.point(&bad.envelope);
    stand.refuses("object", "segment at rest", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_manifest() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    cut(&stand.publisher.object(&bad.release.manifest));
    stand.publisher.point(&bad.envelope);
    stand.refuses("object", "ends after", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_manifest() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    let path = stand.publisher.object(&bad.release.manifest);
    let mut bytes = fs::read(&path).unwrap();
    let limit = bytes.len();
    bytes.extend([0; 100]);
    fs::write(path, bytes).unwrap();
    stand.publisher.point(&bad.envelope);
    stand
        .refuses("object", &format!("more than {limit} bytes"), 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_object() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    fs::remove_file(stand.publisher.object(&bad.release.manifest)).unwrap();
    stand.publisher.point(&bad.envelope);
    stand.refuses("object", "not there", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mirror_helps_where_one_is_damaged_or_gone() {
    let publisher = Publisher::new();
    let published = publisher.publish(&Draft::new(1));
    let data = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let to = other.path().join("mirror");
    let mut copy = std::process::Command::new("cp");
    assert!(
        copy.arg("-r")
            .arg(publisher.mirror())
            .arg(&to)
            .status()
            .unwrap()
            .success()
    );
    cut(&publisher.object(&published.manifest.collections[0].segments[0].id));
    let gone = url::Url::from_file_path(other.path().join("gone")).unwrap();
    let second = url::Url::from_file_path(&to).unwrap();
    let edge = Following::start(data.path(), &config(vec![publisher.url(), gone, second])).await;
    let status = edge.serves(1).await;
    assert!(
        status.sources[1]
            .error
            .as_ref()
            .unwrap()
            .contains("is not there")
    );
    edge.stop().await;
}
