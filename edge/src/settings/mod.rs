//! Settings files: TOML read key by key, with every mistake at its place, all of them in one go.
//!
//! [`Section`] reads one table: a wrong, missing or unknown key is noted in [`Problems`] and reading
//! goes on. Whoever is done asks [`Problems::none_or`] for the result: the value, or [`Mistakes`].
//! `edge.toml`, `ops.toml` and the publisher's `site.toml` are all read this way.

mod duration;
mod near;
mod problem;
mod section;
#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::Path;

pub use duration::{DURATION_MOST, parse_duration};
pub use problem::{Added, Mistakes, Problem, Problems};
pub use section::{Item, Placed, Section};
pub use toml_span::{Span, Value};

/// Largest settings file, bytes.
pub const SETTINGS_BYTES: u64 = 1 << 20;

/// Reads at most [`SETTINGS_BYTES`] of UTF-8 from `path`. `absent` says what to do where there is
/// no such file.
///
/// # Errors
/// Missing, unreadable, too large or not UTF-8.
pub fn read(path: &Path, absent: &str) -> Result<String, Mistakes> {
    let whole = |message: String| Mistakes::whole(path, message, None);
    let file = fs_err::File::open(path)
        .map_err(|e| Mistakes::whole(path, e.to_string(), Some(absent.to_owned())))?;
    let mut bytes = Vec::new();
    file.take(SETTINGS_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| whole(e.to_string()))?;
    if bytes.len() as u64 > SETTINGS_BYTES {
        return Err(whole(format!(
            "{} is larger than {SETTINGS_BYTES} bytes, the most a settings file may have",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|e| {
        whole(format!(
            "{} is not UTF-8: {}",
            path.display(),
            e.utf8_error()
        ))
    })
}
