//! A real static site that nobody here wrote: the Debian Administrator's Handbook, thousands of
//! files in many languages, published from its folder as it was installed.

use std::path::{Path, PathBuf};

use crate::scene::{Origin, Site};

/// Where Debian's package has it.
const HTML: &str = "/usr/share/doc/debian-handbook/html";

fn site_toml() -> String {
    format!(
        r#"
site = "handbook"
title = {{ en = "The Debian Administrator's Handbook" }}
languages = ["en"]

[service.book]
title = {{ en = "The handbook" }}
meanwhile = {{ en = "Every page can be read." }}

[collection.html]
source = {{ folder = "{HTML}" }}
complete = true

[[route]]
path = "/{{*path}}"
service = "book"
assets = "html"
rewrite = false

[publish]
mirrors = ["mirror"]
key = "keys/release"
"#
    )
}

/// Every file below `folder`, as a path below `root`.
fn files(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_of_thousands_of_files_is_served_byte_for_byte() {
    if !outside::have("/usr/share/doc/debian-handbook/html/en-US/index.html") {
        return;
    }
    let site = Site::new("handbook", &site_toml()).init().await;
    let published = site.publish().await;
    assert_eq!(published["sequence"], 1);
    let mut origin = Origin::shelf(PathBuf::from(HTML)).await;
    let edge = site.edge().before(&origin).start().await;
    origin.die().await;

    let mut paths = Vec::new();
    files(Path::new(HTML), Path::new(HTML), &mut paths);
    assert!(paths.len() > 2_000, "{} files", paths.len());
    let mut languages = std::collections::BTreeSet::new();
    for path in paths {
        let written = fs_err::read(Path::new(HTML).join(&path)).unwrap();
        let target = format!("/{}", path.display());
        let answer = edge.get(&target).await;
        assert_eq!(answer.status, 200, "{target}");
        assert!(answer.from_snapshot(), "{target}");
        assert!(answer.body == written, "{target} came back changed");
        let kind = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html") => "text/html",
            Some("css") => "text/css",
            Some("png") => "image/png",
            _ => "",
        };
        let told = answer.header("content-type");
        assert!(told.starts_with(kind), "{target} is called {told}");
        languages.extend(
            path.components()
                .next()
                .map(|first| first.as_os_str().to_owned()),
        );
    }
    assert!(languages.len() > 5, "{languages:?}");
}
