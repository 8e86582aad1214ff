//! Manifests that are rightly signed and still unusable.

use snapshot::{Digest, Release, limits};

use super::world::{World, pages};

pub(super) async fn emptied_collection(world: &mut World) {
    let meant = "more than 30 % is used only if the release says that it is meant";
    let held = pages(&mut world.forge.manifest.clone()).records;
    world.offers_manifest(|manifest| {
        let pages = pages(manifest);
        (pages.records, pages.segments) = (0, Vec::new());
    });
    let reason = format!("collection pages fell from {held} to 0 records: {meant}");
    world.refuses("counts", "", &reason).await;
    // Gone altogether, with the routes that name it.
    world.offers_manifest(|manifest| {
        manifest.collections.retain(|c| c.name.as_str() != "notes");
        let all = |route: &snapshot::manifest::Route| {
            let target = &route.target;
            *target != snapshot::manifest::Target::Assets("notes".parse().unwrap())
        };
        manifest.routes.retain(all);
    });
    let reason = format!("collection notes fell from 1 to 0 records: {meant}");
    world.refuses("counts", "", &reason).await;
    // While a route still names it.
    world.offers_manifest(|manifest| manifest.collections.clear());
    let reason = "manifest: route /: collection pages does not exist";
    world.refuses("manifest", "", reason).await;
}

pub(super) async fn manifest_of_another_site(world: &mut World) {
    world.offers_manifest(|manifest| manifest.site = "other".parse().unwrap());
    let reason = "manifest: about site other, expected small";
    world.refuses("manifest", "", reason).await;
}

/// A look-up goes through every segment of a stack.
pub(super) async fn stack_deeper_than_any(world: &mut World) {
    let most = limits::STACK_SEGMENTS;
    world.offers_manifest(|manifest| {
        let segments = &mut pages(manifest).segments;
        let segment = segments[0].clone();
        segments.resize(most + 1, segment);
    });
    let reason = format!(
        "manifest: collection pages of {} segments, at most {most}",
        most + 1
    );
    world.refuses("manifest", "", &reason).await;
}

pub(super) async fn manifest_that_is_none(world: &mut World) {
    let html = b"<html><body>503 Service Unavailable</body></html>";
    let release = Release {
        manifest: world.forge.put(html).unwrap(),
        manifest_bytes: html.len() as u64,
        ..world.forge.next().unwrap()
    };
    world.offers_release(&release);
    let reason = format!(
        "manifest {}: not readable: invalid type: integer `60`, expected struct Manifest",
        Digest::of(html)
    );
    world.refuses("manifest", "", &reason).await;
}

pub(super) async fn impossible_lengths(world: &mut World) {
    let next = world.forge.next().unwrap();
    let manifest = next.manifest;
    for bytes in [0, u64::MAX] {
        world.offers_release(&Release {
            manifest_bytes: bytes,
            ..next.clone()
        });
        let reason =
            format!("manifest {manifest} is stated to have {bytes} bytes: expected 1 to 16777216");
        world.refuses("manifest", "", &reason).await;
    }
}

pub(super) async fn failed_canary(world: &mut World) {
    world.offers_manifest(|manifest| {
        manifest.canaries[0].contains = "words that no page has".to_owned();
    });
    let reason = "canary / in ko: the page does not contain \"words that no page has\"";
    world.refuses("canary", "/ in ko", reason).await;
    world.offers_manifest(|manifest| manifest.canaries[0].status = 404);
    let reason = "canary / in ko: status 200, expected 404";
    world.refuses("canary", "/ in ko", reason).await;
}
