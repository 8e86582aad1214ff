//! What the edges of a fleet know each other by: a token, and certificates of one authority.

use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::Site;

/// The token that the edges of these tests share.
pub(crate) const TOKEN: &str = "the-token-of-this-fleet";

/// An authority, and the files that its certificates make beside a site.
pub(crate) struct Fleet(CertifiedIssuer<'static, KeyPair>);

impl Fleet {
    /// A new one, in `NAME.pem`.
    pub(crate) fn found(site: &Site, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        site.write(&format!("{name}.pem"), issuer.pem());
        Self(issuer)
    }

    /// A certificate for loopback: `NAME.pem` and `NAME.key`.
    pub(crate) fn certify(&self, site: &Site, name: &str) {
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        self.sign(site, name, &params);
    }

    /// The same, which ends so soon.
    pub(crate) fn certify_until(&self, site: &Site, name: &str, left: Duration) {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_after = (SystemTime::now() + left).into();
        self.sign(site, name, &params);
    }

    fn sign(&self, site: &Site, name: &str, params: &CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        site.write(&format!("{name}.pem"), certificate.pem());
        site.write(&format!("{name}.key"), key.serialize_pem());
    }
}
