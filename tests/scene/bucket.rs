//! A bucket of an S3-compatible store: the real programs, on loopback.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;
use stage::process::Process;
use tempfile::TempDir;

use super::{Ask, Site, eventually, free};

pub(super) const KEY: &str = "GK31c2f218a2e44f485b94239e";
/// What must never be printed.
pub(crate) const SECRET: &str = "b892c0665f0ada8a4755dae98baa3b133590e11dae3bcc1f9d769d67f16c3835";

/// A running store with one bucket. Its data and its process go with the value.
#[derive(Debug)]
pub(crate) struct Bucket {
    at: SocketAddr,
    scheme: &'static str,
    _process: Process,
    dir: TempDir,
}

impl Bucket {
    /// PyPI's moto, which honours every condition; `None` where it is not installed.
    #[track_caller]
    pub(crate) fn moto() -> Option<impl Future<Output = Self>> {
        outside::have("moto_server").then_some(async {
            let bucket = Self::start("moto_server", "http", |serve, at, _| {
                serve.args(["-H", "127.0.0.1", "-p", &at.port().to_string()]);
            });
            bucket.made().await
        })
    }

    /// The same under TLS, with this certificate and key.
    #[track_caller]
    pub(crate) fn moto_under_tls(
        certificate: PathBuf,
        key: PathBuf,
    ) -> Option<impl Future<Output = Self>> {
        outside::have("moto_server").then_some(async move {
            let bucket = Self::start("moto_server", "https", |serve, at, _| {
                serve.args(["-H", "127.0.0.1", "-p", &at.port().to_string()]);
                serve.arg("-c").arg(certificate).arg("-k").arg(key);
            });
            bucket.listens().await;
            bucket
        })
    }

    /// s3s-fs, which checks conditions without holding what it checked; `None` where it is not
    /// installed.
    #[track_caller]
    pub(crate) fn s3s() -> Option<impl Future<Output = Self>> {
        outside::have("s3s-fs").then_some(async {
            let bucket = Self::start("s3s-fs", "http", |serve, at, root| {
                fs_err::create_dir_all(root.join("town")).unwrap();
                serve.args(["--host", "127.0.0.1", "--port", &at.port().to_string()]);
                serve.args(["--access-key", KEY, "--secret-key", SECRET]);
                serve.arg(root);
            });
            bucket.listens().await;
            bucket
        })
    }

    /// s3s-fs asking nobody for a key; `None` where it is not installed.
    #[track_caller]
    pub(crate) fn public() -> Option<impl Future<Output = Self>> {
        outside::have("s3s-fs").then_some(async {
            let bucket = Self::start("s3s-fs", "http", |serve, at, root| {
                fs_err::create_dir_all(root.join("town/mirrors/one")).unwrap();
                serve.args(["--host", "127.0.0.1", "--port", &at.port().to_string()]);
                serve.arg(root);
            });
            bucket.listens().await;
            bucket
        })
    }

    /// The folder behind the mirror, of a store that keeps files as files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("town/mirrors/one")
    }

    /// The URL of a mirror in it, with a key that lies beside `site`.
    pub(crate) fn mirror(&self, site: &Site) -> String {
        credentials(site);
        format!("{}&credentials=s3.credentials", self.open())
    }

    /// The same without a key.
    pub(crate) fn open(&self) -> String {
        let endpoint = self.endpoint();
        format!("s3://town/mirrors/one?endpoint={endpoint}&region=us-east-1")
    }

    /// Where it answers.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.at)
    }

    /// Environment variables with a key for it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// What a store that keeps files as files holds below `prefix`.
    pub(crate) fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.folder().join(prefix), &mut found);
        found
    }

    fn start(
        program: &str,
        scheme: &'static str,
        tell: impl FnOnce(&mut Command, SocketAddr, &Path),
    ) -> Self {
        let dir = tempfile::Builder::new().prefix("holdfast-").tempdir();
        let dir = dir.unwrap();
        let at = free();
        let mut serve = Command::new(outside::find(program).unwrap());
        tell(&mut serve, at, dir.path());
        let process = Process::start(program, serve, &dir.path().join("log"));
        Self {
            at,
            scheme,
            _process: process.unwrap_or_else(|error| panic!("{error:#}")),
            dir,
        }
    }

    async fn listens(&self) {
        eventually("the store to listen", async || {
            tokio::net::TcpStream::connect(self.at).await.ok()
        })
        .await;
    }

    /// Makes the bucket, as whoever has a key.
    async fn made(self) -> Self {
        eventually("a bucket", async || {
            let host = self.at.to_string();
            let made = Ask::new(self.at, Method::PUT, &host, "/town").send().await;
            made.ok()?.status.is_success().then_some(())
        })
        .await;
        self
    }
}

/// A file with the key, beside `site`.
pub(super) fn credentials(site: &Site) {
    let key = format!("[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n");
    site.write("s3.credentials", key);
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}
