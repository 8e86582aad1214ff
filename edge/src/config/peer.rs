//! `[peer]`: what an edge gives other edges, and how they know each other.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::alarm::CertificateEnd;
use crate::peer::{Fleet, PeerLimits, Token};
use crate::settings::{Placed, Problems, Section};
use crate::sync::mirror::Shown;

/// What an edge gives other edges, and what it shows when it asks them.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// `listen`: where other edges ask, an address of its own. Without it this edge only asks.
    pub listen: Option<SocketAddr>,
    /// `token_file`: the token that the fleet shares, shown to peers and asked of them.
    pub token: Option<Token>,
    /// The file it stands in, for the settings of operators.
    pub token_file: Option<PathBuf>,
    /// The file with the authority's certificates, likewise.
    pub authority: Option<PathBuf>,
    /// `certificate`, `key` and `authority`: with them peers speak TLS, and a certificate of the
    /// authority is as good as the token.
    pub fleet: Option<Fleet>,
    /// `bandwidth`: bytes a second that one address is given.
    pub limits: PeerLimits,
}

impl Peer {
    /// What is shown to peers.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown::of(self.token.as_ref(), self.fleet.as_ref())
    }

    /// When certificates of this edge and its fleet end.
    #[must_use]
    pub fn ends(&self) -> Vec<CertificateEnd> {
        let fleet = self.fleet.as_ref();
        fleet.map(|fleet| fleet.ends.clone()).unwrap_or_default()
    }

    /// Whether it can show anything to who is asked over `https`, or over plain HTTP.
    pub(super) fn shows(&self, tls: bool) -> bool {
        let certificate = self.fleet.as_ref().is_some_and(Fleet::answers);
        self.token.is_some() || (tls && certificate)
    }
}

/// `[peer]` as written.
#[derive(Debug, Default)]
pub(super) struct RawPeer {
    listen: Option<Placed<String>>,
    token_file: Option<Placed<String>>,
    certificate: Option<Placed<String>>,
    key: Option<Placed<String>>,
    authority: Option<Placed<String>>,
    bandwidth: Option<u64>,
}

impl RawPeer {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let raw = Self {
            listen: section.text("listen"),
            token_file: section.text("token_file"),
            certificate: section.text("certificate"),
            key: section.text("key"),
            authority: section.text("authority"),
            bandwidth: super::sync::bandwidth(&mut section),
        };
        section.finish();
        raw
    }

    pub(super) fn resolve(&self, base: &Path, problems: &Problems) -> Option<Peer> {
        let listen = self.listen.as_ref().map(|text| {
            let address: Option<SocketAddr> = text.value.parse().ok();
            if address.is_none() {
                let message = format!("`listen` is not an address: {:?}", text.value);
                let added = problems.add(text.span, message);
                added.label("expected IP:PORT, as in 0.0.0.0:8443 or [::]:8443");
            }
            address
        });
        let token = self.token_file.as_ref().map(|text| {
            let file = base.join(&text.value);
            let read = Token::read(&file);
            let named = |why| format!("the token in {}: {why}", file.display());
            read.map_err(|why| problems.add(text.span, named(why))).ok()
        });
        let fleet = self.fleet(base, problems);
        let mut peer = Peer {
            listen: absent_or(listen)?,
            token: absent_or(token)?,
            token_file: self.token_file.as_ref().map(|text| base.join(&text.value)),
            authority: self.authority.as_ref().map(|text| base.join(&text.value)),
            fleet: absent_or(fleet)?,
            limits: PeerLimits::default(),
        };
        if let Some(bandwidth) = self.bandwidth {
            peer.limits.bytes_a_second = bandwidth;
        }
        if let Some(text) = &self.listen
            && peer.token.is_none()
            && self.authority.is_none()
        {
            problems
                .add(text.span, "nobody could be told from a stranger here")
                .label("needs `token_file`, or `authority` with `certificate` and `key`");
            return None;
        }
        Some(peer)
    }

    fn fleet(&self, base: &Path, problems: &Problems) -> Option<Option<Fleet>> {
        let own = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => {
                let message = "`certificate` and `key` go together";
                problems
                    .add(one.span, message)
                    .label("the other is not there");
                return Some(None);
            }
        };
        let place = own
            .map(|(certificate, _)| certificate)
            .or(self.authority.as_ref())?;
        if let (Some(listen), None, None) = (&self.listen, own, &self.token_file) {
            problems
                .add(listen.span, "nobody can show a certificate without TLS")
                .label("needs `certificate` and `key` beside `authority`");
            return Some(None);
        }
        let at = |text: &Placed<String>| -> PathBuf { base.join(&text.value) };
        let own = own.map(|(certificate, key)| (at(certificate), at(key)));
        let own = own
            .as_ref()
            .map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        let authority = self.authority.as_ref().map(at);
        let read = Fleet::read(own, authority.as_deref());
        Some(read.map_err(|why| problems.add(place.span, why)).ok())
    }
}

/// What is absent is fine; what is wrong is not.
fn absent_or<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
