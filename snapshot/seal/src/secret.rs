//! The secret out of a link, kept out of logs by its type.

use core::fmt;

/// What a reader's link carries: an unguessable id (unlisted) or a capability (sealed).
///
/// Prints as `***`, so that neither a log line nor a panic can give it away.
#[derive(Clone, Copy)]
pub struct Secret<'a>(pub(crate) &'a str);

impl<'a> From<&'a str> for Secret<'a> {
    fn from(secret: &'a str) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(alloc::format!("{:?}", Secret::from("k7Qp")), "***");
    }
}
