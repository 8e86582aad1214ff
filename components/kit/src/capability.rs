//! The capability out of a link, kept out of logs by its type.

use std::fmt;

/// What a `single` route is handed. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Capability(String);

impl Capability {
    pub(crate) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for `seal` alone.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_printed() {
        let capability = Capability::new("k7Qp".to_owned());
        assert_eq!(format!("{capability:?}"), "***");
    }
}
