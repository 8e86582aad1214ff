//! When certificates end.

use snapshot::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// When a certificate ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateEnd {
    /// The file it stands in.
    pub name: String,
    /// Its last moment.
    pub at: Timestamp,
}

/// When each of these certificates (DER), which stand in the file `name`, ends. One that is not
/// readable here is left to who uses it.
#[must_use]
pub fn ends<'c>(name: &str, certificates: impl Iterator<Item = &'c [u8]>) -> Vec<CertificateEnd> {
    let end = |der: &[u8]| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let at = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
        Some(CertificateEnd {
            name: name.to_owned(),
            at: Timestamp::from_secs(at),
        })
    };
    certificates.filter_map(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_and_nonsense_passed_over() {
        let mut params = rcgen::CertificateParams::new(vec!["edge.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2027, 1, 2);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let read = ends(
            "a.pem",
            [b"nonsense".as_slice(), certificate.der()].into_iter(),
        );
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].at.rfc3339(), "2027-01-02T00:00:00Z");
    }
}
