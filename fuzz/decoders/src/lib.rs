//! Everything that reads bytes from outside, each behind one function.
//!
//! A body takes any bytes, must not panic, must stay within the decoder's limit, and where one value
//! has one spelling it writes what it read and compares. It says whether the bytes were taken, so
//! that a test can tell a decoder that works from one that refuses everything. `decoders!` makes of
//! one list the table that `cargo fuzz` chooses from and the property tests that CI runs, so a body
//! without documents to start from does not compile, and one that is not listed is dead code.
//!
//! Compiled guests are left out: the engine that compiles them is fuzzed where it is made.

#![expect(
    clippy::expect_used,
    reason = "a body says what went wrong by panicking"
)]

mod blobs;
#[cfg(test)]
mod cases;
#[cfg(feature = "edge")]
mod fields;
mod formats;
#[cfg(feature = "edge")]
mod keys;
mod people;
mod records;
#[cfg(feature = "edge")]
mod requests;
#[cfg(feature = "edge")]
mod settings;
#[cfg(feature = "edge")]
mod sources;
mod successions;

/// One decoder.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it reads.
    pub name: &'static str,
    /// Reads any bytes; true if they were taken.
    pub decode: fn(&[u8]) -> bool,
    /// Documents that are taken, to start from.
    pub valid: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    let rooms = [
        blobs::TARGETS,
        #[cfg(feature = "edge")]
        fields::TARGETS,
        formats::TARGETS,
        #[cfg(feature = "edge")]
        keys::TARGETS,
        people::TARGETS,
        records::TARGETS,
        #[cfg(feature = "edge")]
        requests::TARGETS,
        #[cfg(feature = "edge")]
        settings::TARGETS,
        #[cfg(feature = "edge")]
        sources::TARGETS,
        successions::TARGETS,
    ];
    rooms.into_iter().flatten()
}

/// Lists the decoders of a room: for each a body, and in `valid` what it takes.
macro_rules! decoders {
    ($($name:ident),+ $(,)?) => {
        /// The decoders of this room.
        pub(crate) const TARGETS: &[crate::Target] = &[$(crate::Target {
            name: stringify!($name),
            decode: $name,
            valid: valid::$name,
        }),+];

        #[cfg(test)]
        mod tests {
            $(#[test]
            fn $name() {
                crate::cases::hold(super::$name, &super::valid::$name());
            })+
        }
    };
}
use decoders;

/// `bytes` as text, as far as they are text.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Texts as documents.
fn texts<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
