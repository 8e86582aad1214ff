//! What both kinds of settings files share: every kind of mistake, in words and at its place.

use super::*;

fn shown(source: &str, look: impl Fn(&mut Section<'_, '_>)) -> String {
    let problems = Problems::default();
    if let Some(mut file) = Section::parse(source, &problems) {
        look(&mut file);
        file.finish();
    }
    match problems.none_or(Some(()), Path::new("x.toml"), source) {
        Ok(()) => String::new(),
        Err(mistakes) => mistakes.to_string(),
    }
}

fn has(shown: &str, all: &[&str]) {
    for expected in all {
        assert!(shown.contains(expected), "{expected:?} is not in:\n{shown}");
    }
}

#[test]
fn a_key_that_nobody_knows_is_told_with_the_nearest_or_all() {
    let look = |file: &mut Section<'_, '_>| {
        file.text("mirrors");
        file.text("key");
    };
    let text = shown("miror = 1\nport = 2\n", look);
    has(
        &text,
        &[
            "the file has no key `miror`",
            "x.toml:1:1",
            "did you mean `mirrors`?",
            "x.toml:2:1",
            "expected one of: mirrors, key",
            "x.toml: 2 mistakes; nothing was done",
        ],
    );
}

#[test]
fn a_table_s_mistakes_stand_at_its_own_header() {
    let source = "[[site]]\na = \"x\"\n[[site]]\n[listen]\n";
    let text = shown(source, |file| {
        for mut site in file.list("site") {
            site.required("a", "the a of it", Section::text);
            site.finish();
        }
        if let Some(mut listen) = file.section("listen") {
            listen.required("b", "the b of it", Section::text);
        }
    });
    has(
        &text,
        &[
            "this site needs `a`",
            "x.toml:3:",
            "the a of it",
            "`listen` needs `b`",
            "x.toml:4:",
            "2 mistakes",
        ],
    );
}

#[test]
fn a_value_of_another_kind_is_told_with_what_was_expected() {
    let source = "a = 1\nb = \"x\"\nc = [1]\nd = {}\ne = true\nf = \"1\"\ng = \"2h\"\n";
    let hour = std::time::Duration::from_secs(3600);
    let text = shown(source, |file| {
        file.text("a");
        file.flag("b");
        file.texts("c");
        file.list("d");
        file.section("e");
        file.duration("f", hour..=hour);
        file.duration("g", hour..=hour);
    });
    has(
        &text,
        &[
            "`a` must be a text in quotes, not an integer",
            "`b` must be true or false, not a string",
            "an entry of `c` must be a text in quotes, not an integer",
            "`d` must be a list of tables, not a table",
            "`e` must be a table, not a boolean",
            "`f` is not a duration: \"1\"",
            "expected a whole number and ms, s, m, h or d",
            "`g` is \"2h\"",
            "expected from 3600s to 3600s",
            "7 mistakes",
        ],
    );
}

#[test]
fn names_and_free_keys_are_read_in_the_order_of_the_file() {
    let source = "[part.b]\n[part.a]\nz = \"1\"\ny = 2\n";
    let text = shown(source, |file| {
        let parts = file.named::<String>("part");
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        for (_, part) in parts {
            for (key, value) in part.rest_as_texts() {
                assert_eq!((key.value.as_str(), value.value.as_str()), ("z", "1"));
            }
        }
    });
    has(
        &text,
        &["an entry of part `a` must be a text in quotes, not an integer"],
    );
}

#[test]
fn lists_have_their_bounds() {
    let text = shown("a = [\"x\", \"y\"]\n", |file| {
        let list = file.texts("a").unwrap();
        file.problems().count("a", &list, 0..=1);
        file.problems().count("a", &list, 1..=2);
    });
    has(
        &text,
        &["`a` has 2 entries", "expected 0 to 1", ": 1 mistake;"],
    );
}

#[test]
fn what_is_not_toml_is_shown_with_both_places() {
    let text = shown("a = 1\na = 2\n", |_| ());
    has(
        &text,
        &[
            "not TOML: duplicate key: `a`",
            "x.toml:2:1",
            "first here",
            "the rest is looked at once it is TOML",
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_whole_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.toml");
    let absent = read(&path, "make one").unwrap_err().to_string();
    has(&absent, &["x.toml", "make one"]);
    let most = usize::try_from(SETTINGS_BYTES).unwrap();
    fs_err::write(&path, vec![b'#'; most]).unwrap();
    assert_eq!(read(&path, "").unwrap().len(), most);
    fs_err::write(&path, vec![b'#'; most + 1]).unwrap();
    let large = read(&path, "").unwrap_err().to_string();
    has(
        &large,
        &["x.toml is larger than 1048576 bytes, the most a settings file may have"],
    );
    fs_err::write(&path, [0xff]).unwrap();
    has(&read(&path, "").unwrap_err().to_string(), &["is not UTF-8"]);
}
