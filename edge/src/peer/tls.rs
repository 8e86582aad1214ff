//! TLS between edges: this edge's certificate, and the authority whose certificates it believes. What is
//! given is believed for its signatures; TLS keeps the token from who listens, and tells edges apart
//! where certificates take the token's place.

use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::alarm::{self, CertificateEnd};
use crate::sync::mirror::authorities;

/// Longest file with certificates or a key, bytes.
pub const TLS_FILE_BYTES: u64 = 1 << 20;

/// One edge's place in a fleet that speaks TLS.
#[derive(Clone)]
pub struct Fleet {
    /// To answer with, for who has a certificate. It asks for one of the authority, and takes who has
    /// none.
    pub(super) server: Option<Arc<ServerConfig>>,
    /// To ask with.
    pub(crate) client: ClientConfig,
    /// When its certificates end, and the authority's.
    pub(crate) ends: Vec<CertificateEnd>,
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}

impl Fleet {
    /// Reads this edge's chain of certificates with its key, and the authority's certificates. Without
    /// an authority nobody is known by a certificate, and other edges are believed as any web server is.
    ///
    /// # Errors
    /// In words that hold nothing of a key.
    pub fn read(own: Option<(&Path, &Path)>, authority: Option<&Path>) -> Result<Self, String> {
        let mut ends = Vec::new();
        for file in authority.into_iter().chain(own.map(|(file, _)| file)) {
            let all = certificates(file)?;
            let name = file.display().to_string();
            ends.extend(alarm::ends(&name, all.iter().map(AsRef::as_ref)));
        }
        let roots = authority.map(roots).transpose()?;
        let own = own.map(Own::read).transpose()?;
        let server = own
            .as_ref()
            .map(|own| own.server(roots.as_ref()))
            .transpose()?;
        let client = ClientConfig::builder_with_provider(provider());
        let client = client.with_safe_default_protocol_versions();
        let client = client.map_err(|error| error.to_string())?;
        let client = client.with_root_certificates(match roots {
            Some(roots) => roots,
            None => authorities()?,
        });
        let client = match own {
            Some(own) => client
                .with_client_auth_cert(own.chain, own.key)
                .map_err(|error| format!("{}: {error}", own.files))?,
            None => client.with_no_client_auth(),
        };
        Ok(Self {
            server: server.map(Arc::new),
            client,
            ends,
        })
    }

    /// Whether it has a certificate to answer with.
    #[must_use]
    pub const fn answers(&self) -> bool {
        self.server.is_some()
    }
}

/// This edge's certificates and its key.
struct Own {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// Where they stand, for errors.
    files: String,
}

impl Own {
    fn read((certificate, key): (&Path, &Path)) -> Result<Self, String> {
        let chain = certificates(certificate)?;
        let secret = PrivateKeyDer::from_pem_slice(&bytes(key)?);
        Ok(Self {
            chain,
            key: secret.map_err(|error| format!("{}: {error}", key.display()))?,
            files: format!("{} with {}", certificate.display(), key.display()),
        })
    }

    fn server(&self, roots: Option<&RootCertStore>) -> Result<ServerConfig, String> {
        let server = ServerConfig::builder_with_provider(provider());
        let server = server.with_safe_default_protocol_versions();
        let server = server.map_err(|error| error.to_string())?;
        let server = match roots {
            None => server.with_no_client_auth(),
            Some(roots) => {
                let roots = Arc::new(roots.clone());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                let verifier = verifier.allow_unauthenticated().build();
                server.with_client_cert_verifier(verifier.map_err(|error| error.to_string())?)
            }
        };
        let server = server.with_single_cert(self.chain.clone(), self.key.clone_key());
        server.map_err(|error| format!("{}: {error}", self.files))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        let added = roots.add(certificate);
        added.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes(file)?).collect();
    match read {
        Ok(all) if all.is_empty() => Err(format!("{}: no certificate in it", file.display())),
        Ok(all) => Ok(all),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let open = fs_err::File::open(file).map_err(|error| error.to_string())?;
    let read = open.take(TLS_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > TLS_FILE_BYTES {
        let file = file.display();
        return Err(format!("{file}: longer than {TLS_FILE_BYTES} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_or_key_is_named_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs_err::write(&path, bytes).unwrap();
            path
        };
        let made = rcgen::generate_simple_self_signed(["edge.example".to_owned()]).unwrap();
        let certificate = at("edge.pem", made.cert.pem().as_bytes());
        let key = at("edge.key", made.signing_key.serialize_pem().as_bytes());
        let fleet = Fleet::read(Some((&certificate, &key)), Some(&certificate)).unwrap();
        assert_eq!(format!("{fleet:?}"), "Fleet { .. }");
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let other = at("other.key", other.as_bytes());
        let none = at("none.pem", b"SECRET");
        let most = usize::try_from(TLS_FILE_BYTES).unwrap();
        let long = at("long.pem", &vec![b'\n'; most + 1]);
        let gone = dir.path().join("gone.pem");
        let authority = certificate.clone();
        for (certificate, key, word) in [
            (&certificate, &other, "other.key"),
            (&certificate, &none, "none.pem"),
            (&none, &key, "no certificate"),
            (&long, &key, "longer than"),
            (&gone, &key, "gone.pem"),
        ] {
            let own = Some((certificate.as_path(), key.as_path()));
            let why = Fleet::read(own, Some(&authority)).unwrap_err();
            assert!(why.contains(word) && !why.contains("SECRET"), "{why}");
        }
    }
}
