//! The reference is part of the product: whoever changes a flag changes the kept text too.

use std::path::Path;

use super::run as run_all;
use super::*;

#[test]
fn the_reference_is_the_kept_one() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli-origin-sync.txt");
    let now = reference();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs_err::write(&kept, &now).unwrap();
    }
    let before = fs_err::read_to_string(&kept).unwrap_or_default();
    assert!(
        before == now,
        "docs/cli-origin-sync.txt is not what --help says now: look at the difference, then \
         UPDATE_REFERENCE=1 cargo test -p origin-sync the_reference"
    );
}

#[test]
fn mistakes_on_the_command_line_end_with_64() {
    let run = |args: &[&str]| {
        let all = std::iter::once("origin-sync").chain(args.iter().copied());
        run_all(all.map(OsString::from))
    };
    assert_eq!(run(&["publish", "--no-such-flag"]), Exit::Usage);
    assert_eq!(run(&["publish", "--every", "soon"]), Exit::Usage);
    assert_eq!(
        run(&["publish", "--config", "/absent/site.toml"]),
        Exit::Usage
    );
    assert_eq!(run(&["--version"]), Exit::Done);
}
