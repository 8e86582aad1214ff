//! One honest mirror is enough, and a restart changes nothing.

use super::world::World;

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
