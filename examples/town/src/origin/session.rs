//! Dasom Sign-in: sessions in memory, gone when the process is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use http::header::COOKIE;

/// Name of the session cookie.
pub(crate) const COOKIE_NAME: &str = "dasom_session";

/// Who is signed in, by session id.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, String>>);

impl Sessions {
    /// Signs `who` in and gives the session's id.
    pub(crate) fn open(&self, who: &str) -> String {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id =
            blake3::hash(format!("{who} {} {}", sessions.len(), std::process::id()).as_bytes())
                .to_hex()[..24]
                .to_owned();
        sessions.insert(id.clone(), who.chars().take(40).collect());
        id
    }

    /// Who sent these headers.
    pub(crate) fn who(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get(COOKIE)?.to_str().ok()?;
        let id = cookies
            .split(';')
            .find_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))?;
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }
}
