//! Every kind of source: what it gives, and that each kind of bad row is named by file, line and
//! field.

use fs_err as fs;
use snapshot::manifest::Privacy;

use super::*;

struct Bench {
    dir: tempfile::TempDir,
    limits: SourceLimits,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            limits: SourceLimits::default(),
        }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn csv(&self, text: impl AsRef<[u8]>) -> Collection {
        let path = self.write("rows.csv", text);
        collection(RowSource::Csv { path, json: vec![] })
    }

    fn ndjson(&self, text: impl AsRef<[u8]>) -> Collection {
        let path = self.write("rows.ndjson", text);
        collection(RowSource::Ndjson { path })
    }

    fn sqlite(&self, setup: &str, query: &str) -> Collection {
        let path = self.dir.path().join("rows.db");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch(setup).unwrap();
        collection(RowSource::Sqlite {
            path,
            query: query.into(),
            json: vec!["tags".into()],
        })
    }

    fn read(&self, collection: &Collection) -> Result<Read, SourceError> {
        let site = "dasom".parse().unwrap();
        read(&site, collection, self.limits, self.dir.path(), None)
    }

    fn rows(&self, collection: &Collection) -> Vec<(String, String)> {
        let read = self.read(collection).unwrap();
        let text = |content| match content {
            Content::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Content::Gone => "gone".to_owned(),
            Content::File(path, bytes) => format!("{} {bytes}", path.display()),
        };
        read.rows
            .map(Result::unwrap)
            .map(|row| (row.key.to_string(), text(row.content)))
            .collect()
    }

    fn refused(&self, collection: &Collection) -> String {
        // What stands twice shows when the records are in order.
        let all = |read: Read| read.rows.collect::<Result<Vec<_>, _>>();
        let refused = self.read(collection).and_then(all);
        refused.unwrap_err().to_string()
    }
}

fn collection(rows: RowSource) -> Collection {
    of(Source::Rows {
        rows,
        key: "id".into(),
    })
}

fn of(source: Source) -> Collection {
    Collection {
        name: "things".parse().unwrap(),
        source,
        privacy: Privacy::Public,
        secret: None,
        complete: false,
    }
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn rows_become_compact_json_with_sorted_keys() {
    let bench = Bench::new();
    let csv = bench.csv("\u{feff}id,name,age\nb,나,2\na,\"x, y\",1\n");
    let expected = vec![
        pair("a", r#"{"age":"1","id":"a","name":"x, y"}"#),
        pair("b", r#"{"age":"2","id":"b","name":"나"}"#),
    ];
    assert_eq!(bench.rows(&csv), expected);

    let lines = "{\"z\": {\"b\": 1, \"a\": [null, 1.5]}, \"id\": 7}\n\n{\"id\": \"a\"}";
    let ndjson = bench.ndjson(lines);
    let expected = vec![
        pair("7", r#"{"id":7,"z":{"a":[null,1.5],"b":1}}"#),
        pair("a", r#"{"id":"a"}"#),
    ];
    assert_eq!(bench.rows(&ndjson), expected);

    let sqlite = bench.sqlite(
        "create table t (id text, n integer, r real, tags text);
         insert into t values ('a', 1, 0.5, '[\"x\"]'), ('b', null, 2.0, null);",
        "select * from t",
    );
    let expected = vec![
        pair("a", r#"{"id":"a","n":1,"r":0.5,"tags":["x"]}"#),
        pair("b", r#"{"id":"b","n":null,"r":2.0,"tags":null}"#),
    ];
    assert_eq!(bench.rows(&sqlite), expected);
}

#[test]
fn a_folder_gives_its_files_by_path() {
    let bench = Bench::new();
    bench.write("public/index.html", "<p>");
    bench.write("public/club/a.css", "p{}");
    bench.write("public/.git/config", "no");
    bench.write("public/.well-known/x", "yes");
    let large = bench.write("public/photo.jpg", vec![1; 5000]);
    let folder = of(Source::Folder {
        path: bench.dir.path().join("public"),
    });
    assert_eq!(
        bench.rows(&folder),
        [
            pair(".well-known/x", "yes"),
            pair("club/a.css", "p{}"),
            pair("index.html", "<p>"),
            pair("photo.jpg", &format!("{} 5000", large.display())),
        ]
    );
    std::os::unix::fs::symlink("/etc/hostname", bench.dir.path().join("public/link")).unwrap();
    assert!(bench.refused(&folder).contains("links are not followed"));
}

#[test]
fn malformed_rows_are_named_by_file_line_and_field() {
    let bench = Bench::new();
    let refused = bench.refused(&bench.csv("id,name\na,1\nb\n,3\nd,\"4\n5\"\n,6\n"));
    for expected in [
        "rows.csv:3: has 1 fields where the header has 2",
        "rows.csv:4: field `id`: is empty",
        "rows.csv:7: field `id`: is empty",
    ] {
        assert!(refused.contains(expected), "{refused}");
    }
    let refused = bench.refused(&bench.csv(b"id,name\na,\xff\n"));
    assert!(
        refused.contains("rows.csv:2: field `name`: is not UTF-8"),
        "{refused}"
    );
    let refused = bench.refused(&bench.csv("id,id\na,b\n"));
    assert!(
        refused.contains("rows.csv:1: field `id`: stands twice"),
        "{refused}"
    );

    let refused = bench.refused(&bench.ndjson("{\"id\":1}\n{\"id\":\n[]\n{}\n{\"id\":1.5}\n"));
    for expected in [
        "rows.ndjson:2: is not a JSON object",
        "rows.ndjson:3: is JSON, but not an object",
        "rows.ndjson:4: field `id`: is missing",
        "rows.ndjson:5: field `id`: must be a text or a whole number, not a fraction",
    ] {
        assert!(refused.contains(expected), "{refused}");
    }

    let setup = "create table t (id text, tags text, b blob);
                 insert into t values ('a', '[', null), ('b', null, x'00'), (null, null, null);";
    let refused = bench.refused(&bench.sqlite(setup, "select * from t"));
    for expected in [
        "rows.db, row 1 of the query: field `tags`: is not JSON",
        "rows.db, row 2 of the query: field `b`: is a blob",
        "rows.db, row 3 of the query: field `id`: must be a text or a whole number, not null",
    ] {
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn only_the_first_faults_are_told() {
    let bench = Bench::new();
    let refused = bench.refused(&bench.ndjson("[]\n".repeat(FAULTS + 3)));
    assert!(refused.contains("and 3 more"), "{refused}");
}

#[test]
fn duplicate_keys_are_named_with_both_places() {
    let bench = Bench::new();
    let refused = bench.refused(&bench.csv("id\na\nb\na\n"));
    assert!(
        refused.contains("rows.csv:4: field `id`: key a was used before, at ")
            && refused.contains("rows.csv:2"),
        "{refused}"
    );
    // Of a private record the places are enough.
    let unlisted = Collection {
        privacy: Privacy::Unlisted,
        ..bench.csv("id\nhush-hush\nb\nhush-hush\n")
    };
    let refused = bench.refused(&unlisted);
    assert!(refused.contains("key *** was used before"), "{refused}");
    assert!(!refused.contains("hush"), "{refused}");
}

#[test]
fn a_query_can_only_read() {
    let bench = Bench::new();
    let setup = "create table t (id text, tags text); insert into t values ('a', null);";
    let refused = bench.refused(&bench.sqlite(setup, "delete from t"));
    assert!(refused.contains("it writes"), "{refused}");
    let absent = collection(RowSource::Sqlite {
        path: bench.dir.path().join("absent.db"),
        query: "select 1".into(),
        json: vec![],
    });
    assert!(bench.refused(&absent).contains("absent.db"));
    assert!(!bench.dir.path().join("absent.db").exists());
}

#[test]
fn limits_are_reached() {
    let mut bench = Bench::new();
    bench.limits = SourceLimits {
        rows: 2,
        row_bytes: 40,
        sort_bytes: 4_096,
        ..SourceLimits::default()
    };
    let csv = bench.csv("id\na\nb\nc\n");
    assert!(bench.refused(&csv).contains("more than the 2 rows"));
    let long = format!("{{\"id\":\"a\",\"x\":\"{}\"}}\n", "y".repeat(40));
    assert!(
        bench
            .refused(&bench.ndjson(long))
            .contains("at most 40 bytes")
    );
    let long = format!("id,x\na,{}\n", "y".repeat(40));
    assert!(bench.refused(&bench.csv(long)).contains("at most 40 bytes"));
    let setup = format!(
        "create table t (id text, tags text, x text); insert into t values ('a', null, '{}');",
        "y".repeat(40)
    );
    let refused = bench.refused(&bench.sqlite(&setup, "select * from t"));
    assert!(refused.contains("at most 40 bytes"), "{refused}");
    bench.limits = SourceLimits::default();
    let long = format!("{{\"id\":\"a\",\"x\":\"{}\"}}\n", "y".repeat(ROW_BYTES));
    let refused = bench.refused(&bench.ndjson(long));
    assert!(refused.contains("at most 16777216 bytes"), "{refused}");
    let long = format!("id\n{}\n", "k".repeat(1025));
    assert!(bench.refused(&bench.csv(long)).contains("1 to 1024 bytes"));
}

#[test]
fn a_file_too_large_or_named_too_long_is_refused() {
    let bench = Bench::new();
    let large = bench.write("large/film", "");
    // A hole: nothing is written.
    let file = fs::OpenOptions::new().write(true).open(&large).unwrap();
    file.set_len(snapshot::limits::BLOB_BYTES + 1).unwrap();
    let folder = |name: &str| {
        of(Source::Folder {
            path: bench.dir.path().join(name),
        })
    };
    let refused = bench.refused(&folder("large"));
    let words = "film: a file may have at most 1073741824 bytes";
    assert!(refused.contains(words), "{refused}");
    bench.write(
        &format!("long/{}/x", ["d".repeat(250).as_str(); 5].join("/")),
        "x",
    );
    let refused = bench.refused(&folder("long"));
    let words = "its path within the folder has more than 1024 bytes";
    assert!(refused.contains(words), "{refused}");
}

#[test]
fn a_folder_too_deep_is_refused() {
    let bench = Bench::new();
    let deep = format!("deep/{}x.html", "d/".repeat(folder::FOLDER_DEPTH + 1));
    bench.write(&deep, "x");
    let folder = of(Source::Folder {
        path: bench.dir.path().join("deep"),
    });
    assert!(bench.refused(&folder).contains("at most 32 deep"));
}

#[test]
fn private_rows_are_sealed() {
    let bench = Bench::new();
    let sealed = Collection {
        privacy: Privacy::Sealed,
        secret: Some("cap".into()),
        ..bench.csv("id,cap,number\na,capability-of-a-0001,110-234\nb,short,5\n")
    };
    let site = "dasom".parse().unwrap();
    let read = read(&site, &sealed, bench.limits, bench.dir.path(), None).unwrap();
    assert_eq!(read.weak_secrets, 1);
    let name = seal::record_name("dasom", "things", "capability-of-a-0001");
    let row = read
        .rows
        .map(Result::unwrap)
        .find(|row| row.key.to_string() == name)
        .unwrap();
    let Content::Bytes(bytes) = row.content else {
        panic!("bytes");
    };
    assert!(!bytes.windows(7).any(|window| window == b"110-234"));
    let plain = seal::open("dasom", "things", "capability-of-a-0001", &bytes).unwrap();
    assert_eq!(plain, br#"{"id":"a","number":"110-234"}"#);
}

#[test]
fn urls_come_out_of_rows_by_the_names_of_parameters() {
    let bench = Bench::new();
    let template = "/i/{id}/{cap}/gift".parse().unwrap();
    let file = bench.write("urls.csv", "id,cap\nb,2 3\na,1\nb,2 3\n");
    let source = RowSource::Csv {
        path: file,
        json: vec![],
    };
    let found = paths(&template, &source, bench.limits).unwrap();
    assert_eq!(found.0, ["/i/a/1/gift", "/i/b/2%203/gift"]);
    assert_eq!(format!("{found:?}"), "Paths(2 of ***)");
    bench.write("urls.csv", "id,capp\nb,2\n");
    let refused = paths(&template, &source, bench.limits)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("urls.csv:2: field `cap`: is missing"),
        "{refused}"
    );
}

/// How many rows [`shuffled`] gives: enough for many runs, and a prime.
const MANY: usize = 4_999;

/// Rows with a key each, in an order that no run has.
fn shuffled() -> String {
    let line = |n| format!("{{\"id\":\"{:06}\",\"n\":{n}}}\n", n * 7_919 % MANY);
    (0..MANY).map(line).collect()
}

#[test]
fn what_does_not_fit_into_memory_is_sorted_all_the_same() {
    let mut bench = Bench::new();
    let lines = shuffled();
    let whole = bench.rows(&bench.ndjson(&lines));
    assert!(whole.is_sorted() && whole.len() == MANY);
    bench.limits.sort_bytes = 4_096;
    assert_eq!(bench.rows(&bench.ndjson(&lines)), whole);
}

#[test]
fn keys_that_stand_twice_in_different_runs_are_told_with_both_places() {
    let mut bench = Bench::new();
    // Each key of the second half stood in the first, line for line, thousands of rows ago.
    let half = shuffled();
    let twice = format!("{half}{half}");
    for sort_bytes in [SORT_BYTES, 4_096] {
        bench.limits.sort_bytes = sort_bytes;
        let refused = bench.refused(&bench.ndjson(&twice));
        assert_eq!(refused.lines().count(), FAULTS + 2, "{refused}");
        for told in refused.lines().skip(1).take(FAULTS) {
            let line = |text: &str| text.split(':').next().unwrap().parse::<u64>().unwrap();
            let mut lines = told.split("ndjson:").skip(1).map(line);
            let (second, first) = (lines.next().unwrap(), lines.next().unwrap());
            assert!(first < second, "{told}");
        }
        assert!(
            refused.ends_with(&format!("and {} more", MANY - FAULTS)),
            "{refused}"
        );
    }
}

#[test]
fn a_scratch_disk_that_fails_is_not_the_source_s_fault() {
    let mut bench = Bench::new();
    bench.limits.sort_bytes = 4_096;
    let collection = bench.ndjson(shuffled());
    let absent = bench.dir.path().join("absent");
    let site = "dasom".parse().unwrap();
    let error = read(&site, &collection, bench.limits, &absent, None).unwrap_err();
    assert!(matches!(error, SourceError::Sorting(_)), "{error}");
}
