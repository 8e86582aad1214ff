//! What the edge itself serves below `/.holdfast/`: the banner's sheet and the script behind copy
//! buttons, each named by its hash and so kept for good.

use std::sync::LazyLock;

use http::StatusCode;
use snapshot::Digest;

use super::draft::Draft;

/// Everything below this path is the edge's own; no route of a site can lie there.
pub const PREFIX: &str = "/.holdfast/";

const SHEET: &str = include_str!("rewrite/banner.css");
const SCRIPT: &str = include_str!("rewrite/copy.js");

static SHEET_PATH: LazyLock<String> = LazyLock::new(|| named("banner", SHEET, "css"));
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| named("copy", SCRIPT, "js"));

/// The address of the banner's sheet.
#[must_use]
pub fn sheet_path() -> &'static str {
    &SHEET_PATH
}

/// The address of the script that shows and works buttons with `data-copy`.
#[must_use]
pub fn script_path() -> &'static str {
    &SCRIPT_PATH
}

/// What lies at `path`, to be finished with [`super::Lifetime::Hashed`].
#[must_use]
pub fn reserved(path: &str) -> Option<Draft> {
    let (kind, content) = if path == sheet_path() {
        ("text/css; charset=utf-8", SHEET)
    } else if path == script_path() {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return None;
    };
    Some(Draft::new(StatusCode::OK, kind, content))
}

fn named(stem: &str, content: &str, extension: &str) -> String {
    let digest = Digest::of(content.as_bytes());
    let hash: String = digest.to_string().chars().take(16).collect();
    format!("{PREFIX}{stem}-{hash}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_by_its_hash_lies_there() {
        for path in [sheet_path(), script_path()] {
            assert!(path.starts_with(PREFIX));
            let draft = reserved(path).unwrap();
            assert_eq!(draft.status, StatusCode::OK);
            assert!(!draft.body.is_empty() && !draft.html);
        }
        for path in ["/.holdfast/", "/.holdfast/banner.css", "/banner.css", ""] {
            assert!(reserved(path).is_none(), "{path}");
        }
    }
}
