//! TLS to a mirror: what it holds is believed for its signatures, so TLS guards only what is asked
//! of it and the keys that ask. The authorities are those of the machine; `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` name others.

use std::sync::{Arc, OnceLock};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};

/// Read once: a machine has some hundred of them.
static CONFIG: OnceLock<Result<ClientConfig, String>> = OnceLock::new();

/// `plain`, with TLS on it: as is usual on this machine, or as `own` says.
///
/// # Errors
/// No authority can be read here.
pub(super) fn over(
    mut plain: HttpConnector,
    own: Option<&ClientConfig>,
) -> Result<HttpsConnector<HttpConnector>, String> {
    plain.enforce_http(false);
    let config = match own {
        Some(own) => own.clone(),
        None => CONFIG.get_or_init(config).clone()?,
    };
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .wrap_connector(plain))
}

fn config() -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = config.with_root_certificates(authorities()?);
    Ok(config.with_no_client_auth())
}

/// The authorities that this machine believes.
///
/// # Errors
/// There are none.
pub(crate) fn authorities() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!(
            "no certificates of authorities on this machine: install ca-certificates, or name a \
             file with SSL_CERT_FILE. {}",
            why.join("; ")
        ));
    }
    Ok(roots)
}
