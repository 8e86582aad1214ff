//! `docs/limits.md` and the code, held together.
//!
//! Every number with a name in the rooms that read from outside, a `const` or a field of some
//! `…Limits`' defaults, stands in that page exactly once: as a limit, with its value as people
//! write it (or, where only a machine can tell, as the code has it), what happens beyond it and
//! the tests that reach it; or in the last part, among the numbers that limit nothing from
//! outside. So a new one is decided about when it is written.

mod code;
mod page;
mod value;

use std::collections::BTreeMap;

use code::Number;
use page::Row;

/// The page.
pub(crate) const PAGE: &str = "docs/limits.md";

/// What the page and the code, files by name, disagree about.
pub(crate) fn faults(page: &str, files: &BTreeMap<String, String>) -> Vec<String> {
    let (rows, mut faults) = page::rows(page);
    let numbers = code::numbers(files);
    let tests = code::tests(files);
    for number in &numbers {
        let found = rows.iter().filter(|row| row.is_about(number)).count();
        if found != 1 {
            let Number { file, name, .. } = number;
            faults.push(format!("`{name}` of {file} stands there {found} times"));
        }
    }
    for row in &rows {
        let said = format!("`{}` of {}", row.name, row.file);
        let Some(number) = numbers.iter().find(|number| row.is_about(number)) else {
            faults.push(format!("{said} is not in the code"));
            continue;
        };
        let Some(limit) = &row.limit else {
            continue;
        };
        let quoted = format!("`{}`", number.value);
        let is = value::of_code(&number.value, number, &numbers);
        let told = value::of_page(&limit.default);
        if (is.is_none() || is != told) && !limit.default.starts_with(&quoted) {
            let told = &limit.default;
            faults.push(format!(
                "{said} is {told:?}, in the code {:?}",
                number.value
            ));
        }
        if limit.beyond.is_empty() {
            faults.push(format!("{said}: what happens beyond it?"));
        }
        if limit.tests.is_empty() {
            faults.push(format!("{said}: no test reaches it"));
        }
        let unknown = limit.tests.iter().filter(|test| !tests.contains(*test));
        faults.extend(unknown.map(|test| format!("{said}: there is no test `{test}`")));
    }
    faults
}

impl Row {
    fn is_about(&self, number: &Number) -> bool {
        self.file == number.file && self.name == number.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "//! Room.\n\
        pub const BYTES: usize = 4 << 10;\n\
        /// How long.\n\
        const WAIT: Duration = Duration::from_secs(2 * 60);\n\
        const LEVEL: u32 = 6;\n\
        impl Default for RoomLimits {\n    fn default() -> Self {\n        Self {\n\
        \x20           rows: BYTES,\n        }\n    }\n}\n\
        #[cfg(test)]\nmod tests {\n    const MANY: usize = 3;\n\n    #[test]\n    fn too_many() {}\n}\n";

    const ROWS: &str = "# Limits\n\n## `edge/src/room.rs`\n\n\
        | limit | default | beyond it | test |\n|---|---|---|---|\n\
        | `BYTES` | 4 KiB | refused | `too_many` |\n\
        | `WAIT` | 2 min | given up | `too_many` |\n\
        | `RoomLimits.rows` | 4,096 rows | refused | `too_many` |\n\n\
        ## Numbers that limit nothing from outside\n\n\
        - `edge/src/room.rs`: `LEVEL`\n";

    fn of(page: &str) -> Vec<String> {
        let file = ("edge/src/room.rs".to_owned(), CODE.to_owned());
        faults(page, &BTreeMap::from([file]))
    }

    #[test]
    fn a_page_that_tells_all_is_sound() {
        assert_eq!(of(ROWS), [""; 0]);
        let quoted = ROWS.replace("4 KiB", "`4 << 10` bytes");
        assert_eq!(of(&quoted), [""; 0]);
    }

    #[test]
    fn every_disagreement_is_named() {
        for (said, instead, fault) in [
            ("| `BYTES` | 4 KiB", "| `BYTES` | 5 KiB", "in the code"),
            ("2 min", "2 s", "in the code"),
            ("4 KiB", "`5 << 10` bytes", "in the code"),
            ("4,096 rows", "many", "in the code"),
            ("given up", "", "what happens beyond it"),
            (
                "refused | `too_many`",
                "refused | `too_few`",
                "no test `too_few`",
            ),
            ("refused | `too_many`", "refused | ", "no test reaches it"),
            (": `LEVEL`", ": none", "stands there 0 times"),
            (": `LEVEL`", ": `LEVEL`, `WAIT`", "stands there 2 times"),
            (": `LEVEL`", ": `LEVEL`, `GONE`", "not in the code"),
            ("## `edge/src/room.rs`", "## Room", "outside of a file"),
        ] {
            assert!(ROWS.contains(said), "{said}");
            let found = of(&ROWS.replacen(said, instead, 1));
            assert!(
                found.iter().any(|found| found.contains(fault)),
                "{instead:?}: {found:?}"
            );
        }
    }
}
