//! Reading and writing a mirror in a bucket of an S3-compatible store.
//!
//! Where and as whom comes from the mirror's URL, and what it leaves open from the environment, by
//! the names that every S3 tool reads. Without a key requests go unsigned: a public bucket can be
//! read so, and not written. A machine's metadata service is never asked for a key: it would be
//! one more thing to wait for in an outage.

use std::path::Path as File;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use url::Url;

use super::credentials::Credentials;
use super::date::ClockOff;
use super::http::{Client, Transport};
use super::{MirrorError, tls};

/// How often a request that failed on the store's side is tried again: such stores answer 503 to
/// whoever is quick, and mean it.
pub const RETRIES: usize = 2;
/// The longest wait before such a try.
pub const RETRY_WAIT: Duration = Duration::from_millis(500);

/// A bucket, the path in it, and whether it may be written to.
pub(super) struct Bucket {
    pub(super) store: AmazonS3,
    pub(super) base: Path,
    pub(super) has_key: bool,
    pub(super) clock: ClockOff,
}

/// Opens the bucket that `url` names, asking `environment` for what it leaves open.
///
/// # Errors
/// The file with the key cannot be read or has none; no certificates for TLS.
pub(super) fn bucket(
    url: &Url,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Bucket, MirrorError> {
    let unusable = |why: String| MirrorError::Unusable {
        mirror: url.to_string(),
        why,
    };
    let option = |name| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    let variable = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| environment(name));
        values.find(|value| !value.is_empty())
    };
    let credentials = match option("credentials") {
        Some(file) => Some(Credentials::read(File::new(&file)).map_err(unusable)?),
        None => Credentials::of(&variable),
    };
    let endpoint =
        option("endpoint").or_else(|| variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]));
    let region = option("region").or_else(|| variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]));

    let clock = ClockOff::default();
    let is_plain = endpoint.as_deref().is_some_and(|e| e.starts_with("http:"));
    let transport = if is_plain {
        Transport::Plain
    } else {
        Transport::Tls(tls::over(super::http::connector(), None).map_err(unusable)?)
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(url.host_str().unwrap_or_default())
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: RETRY_WAIT / 5,
                max_backoff: RETRY_WAIT,
                base: 2.0,
            },
            max_retries: RETRIES,
            ..RetryConfig::default()
        })
        .with_http_connector(Client {
            transport,
            shown: None,
            clock: clock.clone(),
        });
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    let has_key = credentials.is_some();
    builder = match credentials {
        Some(credentials) => credentials.give(builder),
        // Only so is the metadata service left alone.
        None => Credentials::nobody()
            .give(builder)
            .with_skip_signature(true),
    };
    let base = Path::from_url_path(url.path())
        .map_err(|_| unusable("expected a plain path after the bucket".to_owned()))?;
    let store = builder
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    Ok(Bucket {
        store,
        base,
        has_key,
        clock,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::mirror::{Mirror, parse_url};

    const LOCAL: &str = "s3://town/a?endpoint=http://127.0.0.1:1&region=here";

    fn open(text: &str, environment: &[(&str, &str)]) -> Result<Bucket, MirrorError> {
        let find = |name: &str| {
            let mut all = environment.iter();
            all.find_map(|(key, value)| (*key == name).then(|| (*value).to_owned()))
        };
        bucket(&parse_url(text, File::new("/srv")).unwrap(), find)
    }

    #[test]
    fn without_a_key_a_bucket_can_only_be_read() {
        let key = [
            ("AWS_ACCESS_KEY_ID", "GK1"),
            ("AWS_SECRET_ACCESS_KEY", "S3CRET"),
        ];
        assert!(!open(LOCAL, &[]).unwrap().has_key);
        assert!(!open(LOCAL, &key[..1]).unwrap().has_key);
        let bucket = open(LOCAL, &key).unwrap();
        assert!(bucket.has_key);
        let shown = format!("{:?} {}", bucket.store, bucket.store);
        assert!(!shown.contains("S3CRET"), "{shown}");
        assert_eq!(bucket.base.as_ref(), "a");
    }

    #[tokio::test]
    async fn a_store_that_keeps_failing_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let failing = tokio::spawn(async move {
            for asked in 1.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let read = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await;
                assert!(read.unwrap() > 0);
                let busy =
                    b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                tokio::io::AsyncWriteExt::write_all(&mut stream, busy)
                    .await
                    .unwrap();
                if asked == 1 + RETRIES {
                    return listener;
                }
            }
            unreachable!()
        });
        let url = format!("s3://town?endpoint=http://{at}");
        let mirror = Mirror::open(&parse_url(&url, File::new("/")).unwrap()).unwrap();
        let place = crate::sync::Place::release(&"dasom".parse().unwrap());
        let patience = crate::sync::mirror::Patience {
            small: Duration::from_secs(600),
            ..crate::sync::mirror::Patience::default()
        };
        let refused = mirror.with_patience(patience).read(&place, 64).await;
        assert!(
            matches!(refused, Err(MirrorError::Store { .. })),
            "{refused:?}"
        );
        // Who was given up is not asked again.
        let listener = failing.await.unwrap();
        let more = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
        assert!(more.is_err(), "{more:?}");
    }

    #[test]
    fn the_environment_says_what_the_url_leaves_open() {
        let there = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:2"),
            ("AWS_REGION", "there"),
        ];
        let shown = format!("{:?}", open("s3://town", &there).unwrap().store);
        assert!(
            shown.contains("127.0.0.1:2") && shown.contains("there"),
            "{shown}"
        );
        let shown = format!("{:?}", open(LOCAL, &there).unwrap().store);
        assert!(
            shown.contains("127.0.0.1:1") && !shown.contains("there"),
            "{shown}"
        );
    }

    #[test]
    fn a_file_without_a_key_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("credentials");
        let url = format!("{LOCAL}&credentials={}", file.display());
        let said = open(&url, &[]).err().unwrap().to_string();
        assert!(said.contains(&file.display().to_string()), "{said}");
        fs_err::write(&file, "[default]\naws_access_key_id = GK1\n").unwrap();
        let said = open(&url, &[]).err().unwrap().to_string();
        assert!(said.contains("aws_secret_access_key"), "{said}");
        fs_err::write(
            &file,
            "[default]\naws_access_key_id = GK1\naws_secret_access_key = S3CRET\n",
        )
        .unwrap();
        assert!(open(&url, &[]).unwrap().has_key);
        let mirror = Mirror::open(&parse_url(&url, File::new("/")).unwrap()).unwrap();
        assert!(mirror.writable().is_ok());
        assert!(!format!("{mirror:?}").contains("S3CRET"));
    }
}
