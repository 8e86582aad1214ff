//! The rows of a publisher's sources.

use std::io::Write as _;
use std::path::PathBuf;

use origin_sync::config::{Collection, RowSource, Source};
use origin_sync::source::{self, SourceLimits};
use snapshot::SiteName;
use snapshot::manifest::Privacy;

crate::decoders![ndjson, csv, sqlite];

/// Bounds that a short file can reach.
const LIMITS: SourceLimits = SourceLimits {
    rows: 8,
    row_bytes: 256,
    sort_bytes: 512,
    lines: 1000,
};

fn read(bytes: &[u8], rows: impl FnOnce(PathBuf) -> RowSource) -> bool {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("room for it");
    let collection = Collection {
        name: "clubs".parse().expect("a name"),
        source: Source::Rows {
            rows: rows(file.path().to_owned()),
            key: "id".to_owned(),
        },
        privacy: Privacy::Sealed,
        secret: Some("cap".to_owned()),
        complete: true,
    };
    let site: SiteName = "dasom".parse().expect("a name");
    let Ok(read) = source::read(&site, &collection, LIMITS, &std::env::temp_dir(), None) else {
        return false;
    };
    assert!(read.rows.len() <= LIMITS.rows as u64);
    read.rows.into_iter().all(|row| row.is_ok())
}

/// A JSON object a line.
fn ndjson(bytes: &[u8]) -> bool {
    read(bytes, |path| RowSource::Ndjson { path })
}

/// CSV with a line of names.
fn csv(bytes: &[u8]) -> bool {
    let json = vec!["more".to_owned()];
    read(bytes, |path| RowSource::Csv { path, json })
}

/// What a query finds in a database.
fn sqlite(bytes: &[u8]) -> bool {
    let query = "SELECT id, cap, more FROM clubs".to_owned();
    let json = vec!["more".to_owned()];
    read(bytes, |path| RowSource::Sqlite { path, query, json })
}

mod valid {
    //! A few rows.

    pub(super) fn ndjson() -> Vec<Vec<u8>> {
        crate::texts([
            "{\"id\":\"a\",\"cap\":\"k7Qp-2mXv-9sLd\",\"n\":1.5,\"more\":{\"x\":[1,null]}}\n\
             {\"id\":\"b\",\"cap\":\"k7Qp-2mXv-9sLe\"}\n",
        ])
    }

    pub(super) fn csv() -> Vec<Vec<u8>> {
        crate::texts(["id,cap,more\na,k7Qp-2mXv-9sLd,\"{\"\"x\"\":1}\"\nb,k7Qp-2mXv-9sLe,[]\n"])
    }

    pub(super) fn sqlite() -> Vec<Vec<u8>> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let database = rusqlite::Connection::open(file.path()).expect("a database");
        let rows = "PRAGMA page_size = 512; CREATE TABLE clubs (id, cap, more); \
            INSERT INTO clubs VALUES ('a', 'k7Qp-2mXv-9sLd', '{\"x\":1}'), \
            ('b', 'k7Qp-2mXv-9sLe', NULL)";
        database.execute_batch(rows).expect("sound rows");
        drop(database);
        vec![fs_err::read(file.path()).expect("it was written")]
    }
}
