//! The token that a fleet shares. It is compared and sent, and never shown.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use snapshot::Digest;

/// Longest file with a token, bytes.
pub const TOKEN_BYTES: u64 = 4096;
/// Shortest token, bytes: a shorter one is guessed.
pub const TOKEN_LEAST: usize = 16;

/// A shared token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    shown: HeaderValue,
    /// Compared by hash: how long that takes tells nothing.
    hash: Digest,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Token {
    /// Reads the one line of a file.
    ///
    /// # Errors
    /// In words that hold nothing of the file.
    pub fn read(file: &Path) -> Result<Self, String> {
        let mut text = String::new();
        let open = fs_err::File::open(file).map_err(|error| error.to_string())?;
        let read = open.take(TOKEN_BYTES + 1).read_to_string(&mut text);
        read.map_err(|error| error.to_string())?;
        if text.len() as u64 > TOKEN_BYTES {
            return Err(format!("longer than {TOKEN_BYTES} bytes"));
        }
        Self::of(text.trim())
    }

    /// The token itself.
    ///
    /// # Errors
    /// In words that do not hold it.
    pub fn of(token: &str) -> Result<Self, String> {
        if token.len() < TOKEN_LEAST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "a token is one line of at least {TOKEN_LEAST} visible characters, as \
                 `openssl rand -hex 32` makes one"
            ));
        }
        let shown = format!("Bearer {token}");
        let mut shown = HeaderValue::try_from(shown).map_err(|error| error.to_string())?;
        shown.set_sensitive(true);
        let hash = Digest::of(shown.as_bytes());
        Ok(Self { shown, hash })
    }

    /// What is sent as `authorization` (RFC 6750 section 2.1).
    #[must_use]
    pub fn shown(&self) -> HeaderValue {
        self.shown.clone()
    }

    /// Whether `head` shows it.
    #[must_use]
    pub fn is_in(&self, head: &HeaderMap) -> bool {
        let field = head.get(AUTHORIZATION);
        field.is_some_and(|field| Digest::of(field.as_bytes()) == self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_lets_in() {
        let token = Token::of("correct-horse-battery").unwrap();
        for (field, expected) in [
            (Some("Bearer correct-horse-battery"), true),
            (Some("Bearer correct-horse-batters"), false),
            (Some("Bearer "), false),
            (Some("correct-horse-battery"), false),
            (None, false),
        ] {
            let mut head = HeaderMap::new();
            if let Some(field) = field {
                head.insert(AUTHORIZATION, field.parse().unwrap());
            }
            assert_eq!(token.is_in(&head), expected, "{field:?}");
        }
        assert_eq!(format!("{token:?}"), "Token { .. }");
    }

    #[test]
    fn a_token_that_is_short_or_long_or_odd_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let read = |text: &str| {
            fs_err::write(&file, text).unwrap();
            Token::read(&file)
        };
        let most = usize::try_from(TOKEN_BYTES).unwrap();
        assert!(read(&format!("{}\n", "x".repeat(TOKEN_LEAST))).is_ok());
        assert!(read(&"x".repeat(most)).is_ok());
        for bad in [
            "x".repeat(TOKEN_LEAST - 1),
            "x".repeat(most + 1),
            "x y".repeat(TOKEN_LEAST),
            "비밀".repeat(TOKEN_LEAST),
        ] {
            let why = read(&bad).unwrap_err();
            assert!(!why.contains(&bad), "{why}");
        }
    }
}
