//! The key to a bucket. It is handed on to the store, and never shown.

use std::fmt;
use std::path::Path;

use object_store::aws::AmazonS3Builder;

/// Largest file with a key, bytes.
pub const CREDENTIALS_BYTES: u64 = 64 << 10;

/// A key's name and secret, and the session it may belong to.
#[derive(Clone)]
pub(super) struct Credentials {
    key: String,
    secret: String,
    session: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// The key that the environment names, if it names a whole one.
    pub(super) fn of(variable: &impl Fn(&[&str]) -> Option<String>) -> Option<Self> {
        Some(Self {
            key: variable(&["AWS_ACCESS_KEY_ID"])?,
            secret: variable(&["AWS_SECRET_ACCESS_KEY"])?,
            session: variable(&["AWS_SESSION_TOKEN"]),
        })
    }

    /// No key at all.
    pub(super) const fn nobody() -> Self {
        Self {
            key: String::new(),
            secret: String::new(),
            session: None,
        }
    }

    /// Reads a file in the form of `~/.aws/credentials`; of several profiles the one named
    /// `default` counts, or what stands above any.
    ///
    /// # Errors
    /// In words that hold no line of the file.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let bytes = fs_err::metadata(file)
            .map_err(|error| error.to_string())?
            .len();
        if bytes > CREDENTIALS_BYTES {
            return Err(format!(
                "{}: more than {CREDENTIALS_BYTES} bytes, so it is no file with a key",
                file.display()
            ));
        }
        let text = fs_err::read_to_string(file).map_err(|error| error.to_string())?;
        let mut counts = true;
        let (mut key, mut secret, mut session) = (None, None, None);
        for line in text.lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(profile) = line.strip_prefix('[') {
                counts = profile.trim_end_matches(']').trim() == "default";
                continue;
            }
            let Some((name, value)) = line.split_once('=').filter(|_| counts) else {
                continue;
            };
            let slot = match name.trim() {
                "aws_access_key_id" => &mut key,
                "aws_secret_access_key" => &mut secret,
                "aws_session_token" => &mut session,
                _ => continue,
            };
            *slot = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        }
        let lacks = |name: &str| format!("{}: has no {name} = ...", file.display());
        Ok(Self {
            key: key.ok_or_else(|| lacks("aws_access_key_id"))?,
            secret: secret.ok_or_else(|| lacks("aws_secret_access_key"))?,
            session,
        })
    }

    /// Hands the key to a store.
    pub(super) fn give(self, builder: AmazonS3Builder) -> AmazonS3Builder {
        let builder = builder
            .with_access_key_id(self.key)
            .with_secret_access_key(self.secret);
        match self.session {
            Some(session) => builder.with_token(session),
            None => builder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Credentials, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        Credentials::read(file.path())
    }

    #[test]
    fn the_default_profile_is_read() {
        let text = "# mine\n[other]\naws_access_key_id=NO\naws_secret_access_key=NO\n\
                    [default]\r\n aws_access_key_id = GK1 \r\naws_secret_access_key = a=b/c+d\r\n\
                    region = x\n[last]\naws_session_token = NO\n";
        let read = read(text).unwrap();
        assert_eq!(
            (read.key.as_str(), read.secret.as_str()),
            ("GK1", "a=b/c+d")
        );
        assert_eq!(read.session, None);
        assert_eq!(format!("{read:?}"), "Credentials { .. }");
    }

    #[test]
    fn what_is_lacking_is_named_and_nothing_of_the_file() {
        let said = read("aws_access_key_id = GK1\naws_secret_access_key =\nS3CRET\n").unwrap_err();
        assert!(said.contains("aws_secret_access_key = ..."), "{said}");
        assert!(!said.contains("S3CRET") && !said.contains("GK1"), "{said}");
    }

    #[test]
    fn a_file_too_large_for_a_key_is_not_read() {
        let most = usize::try_from(CREDENTIALS_BYTES).unwrap();
        let key = "aws_access_key_id=a\naws_secret_access_key=b\n";
        let padded = |bytes: usize| format!("{key}{}", "#".repeat(bytes - key.len()));
        assert!(read(&padded(most)).is_ok());
        assert!(read(&padded(most + 1)).unwrap_err().contains("more than"));
    }
}
