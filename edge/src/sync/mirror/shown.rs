//! Who asks, to a source that does not give to everybody.

use std::fmt;

use hyper::header::HeaderValue;
use rustls::ClientConfig;

use crate::peer::{Fleet, Token};

/// What is shown to another edge: nothing, unless told.
#[derive(Clone, Default)]
pub struct Shown {
    pub(super) token: Option<HeaderValue>,
    pub(super) tls: Option<ClientConfig>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown")
            .field("token", &self.token.is_some())
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

impl Shown {
    /// The fleet's token, and this edge's certificate; the fleet's authority is believed.
    #[must_use]
    pub fn of(token: Option<&Token>, fleet: Option<&Fleet>) -> Self {
        Self {
            token: token.map(Token::shown),
            tls: fleet.map(|fleet| fleet.client.clone()),
        }
    }
}
