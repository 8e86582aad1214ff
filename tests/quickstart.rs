//! From an empty directory with a folder of HTML to a page served with the origin dead: the four
//! commands of the README, as a newcomer types them.

use std::process::Command;

use stage::process::Process;

use crate::scene::{Ended, binaries, eventually, free, run};

const PAGE: &str =
    "<!doctype html><html lang=\"en\"><title>Notes</title><h1>Where to meet</h1></html>\n";

/// The commands, as the README has them.
const COMMANDS: [&str; 4] = [
    "origin-sync init",
    "origin-sync publish",
    "edge serve --config edge.toml",
    "curl http://127.0.0.1:8080/",
];

#[tokio::test]
async fn four_commands_lead_from_a_folder_to_a_page_without_an_origin() {
    if !outside::have("curl") {
        return;
    }
    let dir = tempfile::Builder::new()
        .prefix("holdfast-")
        .tempdir()
        .unwrap();
    fs_err::create_dir(dir.path().join("public")).unwrap();
    fs_err::write(dir.path().join("public/index.html"), PAGE).unwrap();
    let typed = |line: &str| {
        let mut shell = Command::new("sh");
        let path = std::env::var("PATH").unwrap_or_default();
        shell
            .args(["-c", &format!("exec {line}")])
            .current_dir(dir.path());
        shell.env("PATH", format!("{}:{path}", binaries().display()));
        shell
    };
    let [init, publish, serve, ask] = COMMANDS;

    let made = run(typed(init)).await.expect(0);
    for next in [publish, serve, ask] {
        assert!(
            made.out.contains(next),
            "init does not name {next:?}:\n{}",
            made.out
        );
    }
    run(typed(publish)).await.expect(0);

    // Somebody else may have these ports; then this edge gets others, as its owner would give it.
    let config = dir.path().join("edge.toml");
    let mut text = fs_err::read_to_string(&config).unwrap();
    let mut ask = ask.to_owned();
    for port in ["8080", "8081"] {
        if std::net::TcpListener::bind(format!("127.0.0.1:{port}")).is_err() {
            let other = free().port().to_string();
            text = text.replace(port, &other);
            ask = ask.replace(port, &other);
        }
    }
    fs_err::write(&config, text).unwrap();
    let log = dir.path().join("edge.log");
    let mut edge = Process::start("edge", typed(serve), &log).unwrap();
    let page = eventually("curl to get the page", async || {
        edge.alive().unwrap_or_else(|error| panic!("{error:#}"));
        let Ended { code, out, .. } = run(typed(&format!("{ask} --silent --fail"))).await;
        (code == 0).then_some(out)
    })
    .await;
    assert!(page.contains("<h1>Where to meet</h1>"), "{page}");
}

#[test]
fn the_readme_has_these_commands() {
    let readme = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));
    let readme = readme.unwrap();
    for command in COMMANDS {
        let line = readme
            .lines()
            .any(|line| line.starts_with(&format!("$ {command}")));
        assert!(line, "the README does not show `$ {command}`");
    }
}
