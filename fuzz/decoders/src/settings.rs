//! Settings files, and what else people write to the programs.

use std::path::Path;
use std::sync::LazyLock;

use edge::config::Config;
use edge::config::ops::{Ops, parse_edge};
use edge::settings::{DURATION_MOST, parse_duration};
use edge::signing::KeySource;
use edge::sync::mirror::parse_url;
use origin_sync::config::Site;
use origin_sync::template::{TEMPLATE_BYTES, Template};
use tempfile::TempDir;

crate::decoders![site_toml, edge_toml, ops_toml, route_path, words];

/// A publisher's `site.toml`.
fn site_toml(bytes: &[u8]) -> bool {
    match Site::parse(Path::new("/srv/dasom/site.toml"), &crate::text(bytes)) {
        Ok(_) => true,
        Err(mistakes) => {
            assert!(!mistakes.list().is_empty(), "refused without a reason");
            assert!(!mistakes.render(false).is_empty());
            false
        }
    }
}

/// A folder with sound trust files.
static BASE: LazyLock<TempDir> = LazyLock::new(|| {
    let base = tempfile::tempdir().expect("a folder");
    let trust = base.path().join("trust");
    fs_err::create_dir(&trust).expect("a folder");
    for (name, text) in [
        ("allowed_signers", valid::SIGNERS),
        ("trust.toml", valid::ROLES),
    ] {
        fs_err::write(trust.join(name), text).expect("a file");
    }
    base
});

/// An operator's `edge.toml`.
fn edge_toml(bytes: &[u8]) -> bool {
    match Config::parse(Path::new("edge.toml"), &crate::text(bytes), BASE.path()) {
        Ok(_) => true,
        Err(mistakes) => {
            assert!(!mistakes.list().is_empty(), "refused without a reason");
            assert!(!mistakes.render(true).is_empty());
            false
        }
    }
}

/// An operator's `ops.toml`.
fn ops_toml(bytes: &[u8]) -> bool {
    match Ops::parse(
        Path::new("ops.toml"),
        &crate::text(bytes),
        Path::new("/srv"),
    ) {
        Ok(_) => true,
        Err(mistakes) => {
            assert!(!mistakes.list().is_empty(), "refused without a reason");
            assert!(!mistakes.render(false).is_empty());
            false
        }
    }
}

/// A route's template. What is read is written the same way.
fn route_path(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    let Ok(template) = text.parse::<Template>() else {
        return false;
    };
    assert!(text.len() <= TEMPLATE_BYTES);
    assert_eq!(template.to_string(), text);
    let filled = template.fill(|_| Some("가/b"));
    assert!(
        filled.is_some_and(|path| path.is_ascii())
            && template.folder().is_none_or(|it| text.starts_with(&it))
    );
    true
}

/// Durations, mirrors, control listeners, keys.
fn words(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    let duration = parse_duration(&text);
    assert!(duration.is_none_or(|duration| duration <= DURATION_MOST));
    let mirror = parse_url(&text, Path::new("/srv"));
    assert!(mirror.as_ref().map_or(true, |url| {
        ["file", "http", "https", "s3"].contains(&url.scheme())
    }));
    duration.is_some()
        || mirror.is_ok()
        || parse_edge(&text).is_ok()
        || text.parse::<KeySource>().is_ok()
}

mod valid {
    //! Sound settings.

    pub(super) const ROLES: &str =
        "[person.sora]\nroles = [\"publisher\", \"operator\"]\nsites = [\"dasom\"]\n";

    pub(super) const SIGNERS: &str = "sora ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIIqI4905ct8U0wgPbKHSb6/Q5YYk6SkSZWS8wBkRSsRd\n";

    pub(super) fn site_toml() -> Vec<Vec<u8>> {
        crate::texts([include_str!("../../../examples/town/site.toml")])
    }

    pub(super) fn edge_toml() -> Vec<Vec<u8>> {
        crate::texts([
            "name = \"seoul-1\"\ndata = \"edge-data\"\n[listen]\npublic = \"127.0.0.1:8080\"\n\
             control = \"127.0.0.1:8081\"\ndrain = \"10s\"\n[[site]]\nname = \"dasom\"\n\
             hosts = [\"dasom.example\", \"*\"]\norigin = \"http://127.0.0.1:9000\"\n\
             mirrors = [\"mirror\", \"file:///srv/mirror\"]\ntrust = \"trust\"\npoll = \"1s\"\n",
        ])
    }

    pub(super) fn ops_toml() -> Vec<Vec<u8>> {
        crate::texts([
            "",
            "site = \"dasom\"\nmirrors = [\"mirror\", \"file:///srv/other\"]\n\
             edges = [\"http://127.0.0.1:8081\"]\nkey = \"keys/sora\"\ntrust = \"trust\"\n",
        ])
    }

    pub(super) fn route_path() -> Vec<Vec<u8>> {
        crate::texts(["/i/{id}/{cap}/gift", "/assets/{*path}", "/"])
    }

    pub(super) fn words() -> Vec<Vec<u8>> {
        crate::texts([
            "250ms",
            "7d",
            "file:///srv/mirror",
            "http://127.0.0.1:8081",
            "env:HOLDFAST_RELEASE_KEY",
            "agent:SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
        ])
    }
}
