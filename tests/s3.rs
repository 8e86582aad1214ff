//! Mirrors in buckets: published to and followed by the real programs, against the real stores.

use std::process::Command;

use crate::scene::{Bucket, SECRET, Site, binary, run};

/// The small site, with this mirror alone.
async fn published_to(mirror: &str) -> Site {
    let site = Site::small().init().await;
    site.edit("site.toml", "\"mirror\"", &format!("{mirror:?}"));
    site
}

/// Publishes, shows that edges follow, and gives what the publisher said of its mirror.
async fn goes_round(bucket: &Bucket, site: &Site) -> serde_json::Value {
    let mirror = bucket.mirror(site);
    let first = site.publish().await;
    let edge = site.edge().following(&[&mirror]).start().await;
    edge.reaches(1).await;
    site.write("public/plain.txt", "newer words\n");
    assert_eq!(site.publish().await["sequence"], 2);
    edge.reaches(2).await;
    assert_eq!(edge.get("/pages/plain.txt").await.text(), "newer words\n");
    let photo = fs_err::read(site.path("photos/door.jpg")).unwrap();
    assert_eq!(edge.get("/photos/door.jpg").await.body, photo);
    site.try_publish(&[]).await.expect(10);
    let said = edge.ops("/status").await.text() + &fs_err::read_to_string(&edge.log).unwrap();
    assert!(said.contains("s3://town/mirrors/one"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    first
}

#[tokio::test]
async fn a_store_that_honours_every_condition_is_published_to_and_followed() {
    let Some(bucket) = Bucket::moto() else {
        return;
    };
    let bucket = bucket.await;
    let site = published_to("s3://town").await;
    let mirror = bucket.mirror(&site);
    site.edit("site.toml", "\"s3://town\"", &format!("{mirror:?}"));
    let said = goes_round(&bucket, &site).await;
    // One write after another; of many at once its threads may let two through, which is seen or not.
    let mirror = &said["mirrors"][0];
    for condition in ["create_only", "replace_only"] {
        let found = mirror[condition].as_str().unwrap();
        assert!(["honoured", "racy"].contains(&found), "{said}");
    }
    let apart = mirror["create_only"] == "honoured";
    assert_eq!(
        said["publishers"],
        if apart { "several" } else { "one" },
        "{said}"
    );
    assert_eq!(mirror["unchanged_reads"], true, "{said}");
}

#[tokio::test]
async fn a_store_that_checks_too_early_may_have_one_publisher_and_keeps_nothing_of_the_probe() {
    let Some(bucket) = Bucket::s3s() else {
        return;
    };
    let bucket = bucket.await;
    let site = published_to("s3://town").await;
    let mirror = bucket.mirror(&site);
    site.edit("site.toml", "\"s3://town\"", &format!("{mirror:?}"));
    let said = goes_round(&bucket, &site).await;
    assert_eq!(said["publishers"], "one", "{said}");
    let mirror = &said["mirrors"][0];
    assert_eq!(mirror["create_only"], "racy", "{said}");
    assert_eq!(mirror["replace_only"], "racy", "{said}");
    assert_eq!(mirror["unchanged_reads"], false, "{said}");
    let left = bucket.files("small/probes");
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(bucket.files("small/releases").len(), 2);
}

#[tokio::test]
async fn a_key_comes_from_the_environment_and_is_never_printed() {
    let Some(bucket) = Bucket::s3s() else {
        return;
    };
    let bucket = bucket.await;
    let site = published_to("s3://town/mirrors/one").await;
    let with_key = |arguments: &[&str]| {
        let mut publish = site.publishing(arguments);
        publish.envs(bucket.variables());
        publish
    };
    let ended = run(with_key(&[])).await.expect(0);
    assert!(
        ended.out.contains("so there may be one publisher"),
        "{ended:?}"
    );
    assert!(!format!("{ended:?}").contains(SECRET), "{ended:?}");

    // A wrong one is the store's to refuse; none at all is ours to explain.
    let mut wrong = with_key(&[]);
    wrong.env("AWS_SECRET_ACCESS_KEY", "another-5ecret");
    let refused = run(wrong).await.expect(23).says(&["s3://town/mirrors/one"]);
    assert!(!refused.err.contains("another-5ecret"), "{refused:?}");
}

#[tokio::test]
async fn without_a_key_a_bucket_can_be_read_and_says_why_it_cannot_be_written() {
    let Some(bucket) = Bucket::public() else {
        return;
    };
    let bucket = bucket.await;
    let site = published_to(&bucket.folder().display().to_string()).await;
    site.publish().await;
    let edge = site.edge().following(&[&bucket.open()]).start().await;
    edge.reaches(1).await;
    let publish = site.try_publish(&["--mirror", &bucket.open()]).await;
    publish
        .expect(64)
        .says(&["can only be read", "AWS_ACCESS_KEY_ID", "credentials=FILE"]);
}

#[tokio::test]
async fn a_bucket_under_tls_is_believed_by_the_authorities_of_the_machine() {
    if !outside::have("openssl") {
        return;
    }
    let site = published_to("s3://town").await;
    let (certificate, key) = (site.path("tls.crt"), site.path("tls.key"));
    let authority = site.path("ca.crt");
    let certify = async |name: &str, more: &[&str]| {
        let mut make = Command::new("openssl");
        make.args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", &format!("/CN={name}"), "-keyout"])
            .args([
                format!("{name}.key"),
                "-out".to_owned(),
                format!("{name}.crt"),
            ])
            .args(more)
            .current_dir(site.dir());
        run(make).await.expect(0);
    };
    certify("ca", &[]).await;
    let server = [
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    certify("tls", &server).await;
    let Some(bucket) = Bucket::moto_under_tls(certificate, key) else {
        return;
    };
    let bucket = bucket.await;
    let mirror = bucket.mirror(&site);
    let publish = |authorities: &std::path::Path| {
        let mut publish = site.publishing(&["--mirror", &mirror]);
        publish.current_dir(site.dir());
        publish.env("SSL_CERT_FILE", authorities);
        publish
    };
    // Known by its authority, unknown to another.
    let refused = run(publish(&authority)).await.expect(23);
    assert!(refused.err.contains("NoSuchBucket"), "{refused:?}");
    certify("stranger", &[]).await;
    let refused = run(publish(&site.path("stranger.crt"))).await.expect(23);
    assert!(refused.err.contains("UnknownIssuer"), "{refused:?}");
}

#[tokio::test]
async fn a_mirror_over_http_is_verified_by_whoever_cannot_write_to_it() {
    let Some(bucket) = Bucket::public() else {
        return;
    };
    let bucket = bucket.await;
    let site = published_to(&bucket.folder().display().to_string()).await;
    site.publish().await;
    site.write("public/plain.txt", "newer words\n");
    site.publish().await;
    let shown = format!("{}/town/mirrors/one", bucket.endpoint());
    let mut verify = Command::new(binary("origin-sync"));
    verify
        .args(["verify", "--mirror", &shown, "--config"])
        .arg(site.path("site.toml"));
    let ended = run(verify).await.expect(0);
    assert!(ended.out.contains("release 2"), "{ended:?}");
    let ended = site.try_publish(&["--mirror", &shown]).await.expect(64);
    ended.says(&["can only be read", "folder"]);
}
