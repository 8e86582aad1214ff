//! The example origin: a small real HTTP server with a sign-in and a guest book, so that losing it
//! is felt.

mod pages;
mod records;
mod respond;
mod router;
mod session;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use crate::db;
use crate::model::Table;
use pages::Pages;
use session::Sessions;

/// What every request shares.
#[derive(Debug)]
pub(crate) struct Origin {
    database: Mutex<rusqlite::Connection>,
    data: PathBuf,
    public: PathBuf,
    pages: Pages,
    sessions: Sessions,
}

/// Serves the town in `data` at `listen` until the process ends; prints one line once it listens.
///
/// # Errors
/// A database that cannot be opened, an address that cannot be bound.
pub async fn serve(data: &Path, listen: SocketAddr) -> Result<()> {
    let origin = Arc::new(Origin {
        database: Mutex::new(db::open(&data.join("town.db"))?),
        data: data.to_owned(),
        public: Path::new(env!("CARGO_MANIFEST_DIR")).join("public"),
        pages: Pages::new()?,
        sessions: Sessions::default(),
    });
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("listening at {listen}"))?;
    println!("origin listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let origin = Arc::clone(&origin);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                router::route(Arc::clone(&origin), request)
            });
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A client that goes away in the middle is its own business.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Origin {
    /// A panic elsewhere leaves the connection as good as before.
    fn database(&self) -> MutexGuard<'_, rusqlite::Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row of a table whose `column` is `key`.
    fn find<T: Table>(&self, column: &str, key: &str) -> Result<Option<T>> {
        db::one(&self.database(), column, key)
    }
}
