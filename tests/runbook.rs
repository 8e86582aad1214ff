//! The page for three in the morning: one side of paper, and each command on it works.

use std::process::Command;

use crate::scene::{Edge, HOST, Origin, Site, TOKEN, binary, run};

const PAGE: &str = include_str!("../docs/runbook.md");
/// Lines of one side of A4 in print that can be read at night.
const LINES: usize = 66;
/// Characters of such a line.
const CHARACTERS: usize = 112;

/// Each line of its consoles, cut into words as a shell does that knows no more than double quotes.
fn commands() -> Vec<Vec<String>> {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix("$ "));
    lines.map(words).collect()
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn it_is_one_side_of_paper() {
    assert!(
        PAGE.lines().count() <= LINES,
        "{} lines",
        PAGE.lines().count()
    );
    for line in PAGE.lines() {
        assert!(line.chars().count() <= CHARACTERS, "{line}");
    }
}

#[tokio::test]
async fn each_of_its_commands_works_in_its_place() {
    let site = Site::small().init().await;
    site.edit(
        "site.toml",
        "[collection.pages]",
        "[service.pay.notice]\nfire = { ko = \"전산실에 불이 났습니다.\", en = \"There is a fire.\" }\n\n[collection.pages]",
    );
    site.publish().await;
    let origin = Origin::small().await;
    let edge: Edge = site
        .edge()
        .named("edge-1")
        .before(&origin)
        .with_token(TOKEN)
        .giving()
        .start()
        .await;
    let ops = format!(
        "site = \"small\"\nmirrors = [\"mirror\"]\nkey = \"keys/operator\"\ntrust = \"trust\"\n\
         edges = [{{ name = \"edge-1\", control = \"http://{}\", peer = \"http://{}\" }}]\n",
        edge.control,
        edge.peer()
    );
    site.write("ops.toml", ops);
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for mut words in commands {
        let program = words.remove(0);
        assert_eq!(program, "edge");
        let mut command = Command::new(binary(&program));
        let words = words.iter().map(|word| word.replace("dasom.example", HOST));
        let words: Vec<String> = words.collect();
        command.args(&words).current_dir(site.dir());
        let ended = run(command).await;
        // What would not survive tonight is found on so small a stage.
        let expected = i32::from(words[0] == "check");
        assert_eq!(
            ended.code, expected,
            "edge {words:?}\n{}\n{}",
            ended.out, ended.err
        );
    }
}
