//! A store over three zones, one of which is lost. Garage takes long to build: part of
//! `cargo xtask test all`.

use stage::process::Process;

use crate::scene::{Site, Zones, eventually};

#[tokio::test]
async fn a_zone_lost_in_mid_publish_loses_nothing_and_edges_follow_the_others() {
    let Some(zones) = Zones::three() else {
        return;
    };
    let mut zones = zones.await;
    let site = Site::small().init().await;
    let mirrors = [0, 1, 2].map(|zone| zones.mirror(zone, &site));
    let quoted = mirrors.each_ref().map(|mirror| format!("{mirror:?}"));
    site.edit("site.toml", "\"mirror\"", &quoted.join(", "));
    let first = site.publish().await;
    assert_eq!(first["publishers"], "one", "{first}");
    for mirror in first["mirrors"].as_array().unwrap() {
        assert_eq!(mirror["create_only"], "ignored", "{first}");
        assert_eq!(mirror["replace_only"], "ignored", "{first}");
        assert_eq!(mirror["unchanged_reads"], true, "{first}");
    }
    let edge = site
        .edge()
        .following(&[&mirrors[1], &mirrors[2]])
        .start()
        .await;
    edge.reaches(1).await;

    // Many objects, so that the zone goes while they are written.
    for n in 0..60_u32 {
        let bytes: Vec<u8> = (0..20_000_u32)
            .map(|i| (i.wrapping_mul(n + 7) >> 5) as u8)
            .collect();
        site.write(&format!("photos/{n}.jpg"), bytes);
    }
    site.write("public/plain.txt", "newer words\n");
    let log = site.path("publish.log");
    let mut publish = Process::start("publish", site.publishing(&[]), &log).unwrap();
    let told = || fs_err::read_to_string(&log).unwrap_or_default();
    eventually("objects to be written", async || {
        told().contains("writing objects").then_some(())
    })
    .await;
    zones.lose(0);
    eventually("the publish to end", async || publish.alive().err()).await;
    let said = told();
    assert!(
        said.contains("release 2 published on 2 of 3 mirrors"),
        "{said}"
    );
    edge.reaches(2).await;
    assert_eq!(edge.get("/pages/plain.txt").await.text(), "newer words\n");
    assert_eq!(edge.get("/photos/59.jpg").await.body.len(), 20_000);

    // A new edge, with one zone gone for good, and a publisher that goes on.
    site.write("public/plain.txt", "newest words\n");
    site.try_publish(&[]).await.expect(21);
    let late = site
        .edge()
        .named("edge-2")
        .following(&[&mirrors[0], &mirrors[2]]);
    let late = late.start().await;
    late.reaches(3).await;
    edge.reaches(3).await;
}
