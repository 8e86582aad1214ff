//! One honest mirror is enough, and a restart changes nothing.

use super::world::World;
use crate::scene::eventually;

#[tokio::test]
async fn of_two_mirrors_the_honest_one_is_enough() {
    let world = World::new().await;
    world.site.write("public/plain.txt", "newer words\n");
    world.site.publish().await;
    world.site.show("shown");
    for object in world.site.objects("shown") {
        let mut bytes = fs_err::read(&object).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(object, bytes).unwrap();
    }
    let edge = world.site.edge().named("edge-2");
    let edge = edge.following(&["shown", "mirror"]).start().await;
    edge.reaches(2).await;
    assert_eq!(edge.get("/pages/plain.txt").await.text(), "newer words\n");
}

#[tokio::test]
async fn a_release_that_was_accepted_survives_a_restart_and_so_does_its_floor() {
    let mut world = World::new().await;
    let first = world.signed(&world.forge.release);
    world.goes_on().await;
    world.edge.kill();
    world.offers(&first);
    world.edge.begin();
    world.edge.ready().await;
    let reason = "rollback: sequence 1 after 2 was accepted";
    world.refuses("trust", "release", reason).await;
}

/// One that stood still a week ago, or was restored from a backup, holds nobody back and takes nobody
/// back, whichever is asked first.
#[tokio::test]
async fn a_mirror_that_serves_last_weeks_release_changes_nothing() {
    let world = World::new().await;
    world.site.write("public/plain.txt", "newer words\n");
    world.site.publish().await;
    let edge = world.site.edge().named("edge-2");
    let mut edge = edge.following(&["shown", "mirror"]).start().await;
    edge.reaches(2).await;
    let sources = eventually("both to be asked", async || {
        let sources = edge.status().await["sources"].clone();
        let asked = |at: usize| sources[at]["last_answer"].is_string();
        (asked(0) && asked(1)).then_some(sources)
    })
    .await;
    assert_eq!(sources[1]["offers"], 2, "{sources}");
    assert_eq!(edge.get("/pages/plain.txt").await.text(), "newer words\n");
    // And when the other one is gone for good.
    fs_err::rename(world.site.path("mirror"), world.site.path("gone")).unwrap();
    edge.kill();
    edge.begin();
    edge.ready().await;
    let reason = "rollback: sequence 1 after 2 was accepted";
    edge.refuses("trust", reason).await;
    assert_eq!(edge.sequence().await, Some(2));
    assert_eq!(edge.get("/pages/plain.txt").await.text(), "newer words\n");
}
