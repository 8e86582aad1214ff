//! What `init` makes, and that it never touches what is there.

use std::os::unix::fs::PermissionsExt;

use snapshot::Generation;

use super::*;
use crate::config::Site;

fn run(dir: &Path) -> Made {
    init(&Init {
        dir: dir.to_owned(),
        site: None,
        pages: None,
    })
    .unwrap()
}

#[test]
fn everything_it_makes_can_be_used() {
    let above = tempfile::tempdir().unwrap();
    let dir = above.path().join("My Club 2");
    fs::create_dir_all(dir.join("html")).unwrap();
    fs::write(dir.join("html/index.html"), "<p>hello</p>").unwrap();
    let made = run(&dir);
    assert_eq!(made.site.as_str(), "my-club-2");
    let site = Site::load(&dir.join("site.toml")).unwrap();
    assert_eq!(site.routes.len(), 1);
    assert_eq!(site.collections[0].source.path(), dir.join("html"));
    assert_eq!(site.publish.trust, Some(dir.join("trust")));
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let trust = Generation::parse(&read("trust/allowed_signers"), &read("trust/trust.toml"));
    trust.unwrap().require(&made.site).unwrap();
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("keys"), 0o700);
    assert_eq!(mode("keys/release"), 0o600);
    assert_eq!(mode("keys/operator"), 0o600);
    assert!(made.items.iter().all(|item| item.made));
    assert!(made.next[0].starts_with("origin-sync publish --config "));
}

#[test]
fn a_site_that_is_declared_already_keeps_its_name() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("site.toml"), "site = \"dasom\"\n").unwrap();
    let made = run(dir.path());
    assert_eq!(made.site.as_str(), "dasom");
    let policy = fs::read_to_string(dir.path().join("trust/trust.toml")).unwrap();
    assert!(policy.contains("sites = [\"dasom\"]"), "{policy}");
}

#[test]
fn what_is_there_stays() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path());
    let all = || {
        [
            "site.toml",
            "keys/release",
            "trust/allowed_signers",
            "edge.toml",
            "ops.toml",
        ]
        .map(|name| fs::read(dir.path().join(name)).unwrap())
    };
    let before = all();
    fs::remove_file(dir.path().join("ops.toml")).unwrap();
    let again = run(dir.path());
    assert_eq!(all(), before);
    let made: Vec<_> = again.items.iter().filter(|item| item.made).collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].path, "ops.toml");
}

#[test]
fn a_folder_elsewhere_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for bad in ["", "..", "../x", "/etc", "a\"b"] {
        let refused = init(&Init {
            dir: dir.path().to_owned(),
            site: None,
            pages: Some(bad.to_owned()),
        });
        assert!(matches!(refused, Err(InitError::Pages(_))), "{bad}");
    }
}
