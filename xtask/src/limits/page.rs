//! Reading the page: a heading names a file, rows below it its limits, a list at the end the rest.

/// One number that the page speaks of.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) file: String,
    pub(super) name: String,
    /// `None` for a number that limits nothing.
    pub(super) limit: Option<Limit>,
}

/// What the page says of a limit.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) default: String,
    pub(super) beyond: String,
    pub(super) tests: Vec<String>,
}

/// All rows, and what cannot be read.
pub(super) fn rows(page: &str) -> (Vec<Row>, Vec<String>) {
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    let mut file = None;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            file = quoted(heading).into_iter().next();
        } else if let Some(row) = line.strip_prefix("| `") {
            match (&file, limit(row)) {
                (Some(file), Some((name, limit))) => rows.push(Row {
                    file: file.clone(),
                    name,
                    limit: Some(limit),
                }),
                (None, _) => faults.push(format!("a row outside of a file: {line}")),
                (_, None) => faults.push(format!("a row of other than four cells: {line}")),
            }
        } else if let Some(item) = line.strip_prefix("- `") {
            let mut words = quoted(&format!("`{item}")).into_iter();
            let file = words.next().unwrap_or_default();
            rows.extend(words.map(|name| Row {
                file: file.clone(),
                name,
                limit: None,
            }));
        }
    }
    (rows, faults)
}

fn limit(row: &str) -> Option<(String, Limit)> {
    let cells: Vec<&str> = row.trim_end().strip_suffix('|')?.split('|').collect();
    let &[name, default, beyond, tests] = cells.as_slice() else {
        return None;
    };
    let limit = Limit {
        default: default.trim().to_owned(),
        beyond: beyond.trim().to_owned(),
        tests: quoted(tests),
    };
    Some((name.trim().trim_end_matches('`').to_owned(), limit))
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}
