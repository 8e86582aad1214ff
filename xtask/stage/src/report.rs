//! What the drill found: counted, judged, drawn as a table, and as one line of JSON.

use serde::Serialize;

/// One thing the drill looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The act it belongs to.
    pub act: &'static str,
    /// What was looked at.
    pub what: String,
    /// What was counted or measured.
    pub result: String,
    /// Why it fell short; nothing if it held.
    pub short: Vec<String>,
}

/// A system's line.
#[derive(Clone, Debug, Serialize)]
pub struct SystemLine {
    /// What it is to its users.
    pub name: String,
    /// The page that was asked, ids left out.
    pub url: String,
    /// Whether every value was on every page, in both languages, at every edge.
    pub answered: bool,
}

/// The last line of `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Nothing fell short.
    pub passed: bool,
    /// GETs of the load.
    pub requests: u64,
    /// GETs of the load without an answer or with a 5xx.
    pub failed: u64,
    /// URLs of the snapshot.
    pub urls: usize,
    /// URLs that answered 200 at every edge with the origin gone.
    pub urls_answered: usize,
    /// From exec to the first answer with origin and mirror gone, milliseconds.
    pub restart_ms: u128,
    /// The systems.
    pub systems: Vec<SystemLine>,
}

/// Widest result in the table, characters; a longer one goes on below itself.
const RESULT: usize = 48;

/// Everything found so far; prints each finding as it comes.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    colour: bool,
}

impl Report {
    /// An empty report; `colour` for a terminal.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        Self {
            findings: Vec::new(),
            colour,
        }
    }

    /// Adds a finding.
    pub fn add(
        &mut self,
        act: &'static str,
        what: impl Into<String>,
        result: impl Into<String>,
        short: Vec<String>,
    ) {
        self.findings.push(Finding {
            act,
            what: what.into(),
            result: result.into(),
            short,
        });
    }

    /// True when nothing fell short.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.short.is_empty())
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> String {
        let what = widest(self.findings.iter().map(|finding| finding.what.as_str()));
        let results: Vec<Vec<String>> = self.findings.iter().map(|f| wrap(&f.result)).collect();
        let result = widest(results.iter().flatten().map(String::as_str));
        let rule = format!("{}\n", "─".repeat(what + result + 9));
        let mut table = String::new();
        let mut act = "";
        for (finding, result) in self.findings.iter().zip(&results) {
            if finding.act != act {
                act = finding.act;
                table.push_str(&rule);
                table.push_str(&format!("{}\n", self.paint("1", act)));
            }
            let mark = if finding.short.is_empty() {
                self.paint("32", "✓")
            } else {
                self.paint("31", "✗")
            };
            let below = format!("\n{}", " ".repeat(what + 7));
            table.push_str(&format!(
                "  {mark} {:<what$}   {}\n",
                finding.what,
                result.join(&below)
            ));
            for short in finding.short.iter().take(5) {
                table.push_str(&format!("      {}\n", self.paint("31", short)));
            }
        }
        table.push_str(&rule);
        table
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// Lines of at most [`RESULT`] characters, broken between words.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= RESULT => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_result_goes_on_below_itself_and_loses_nothing() {
        let mut report = Report::default();
        let words = vec!["word"; 20].join(" ");
        report.add("Act", "a row", "short", Vec::new());
        report.add("Act", "another row", words.as_str(), Vec::new());
        let table = report.table();
        assert!(table.contains("✓ a row         short\n"), "{table}");
        let column = table.lines().nth(3).and_then(|line| line.find("word"));
        // The mark is one character of three bytes.
        let below = table.lines().nth(4).and_then(|line| line.find("word"));
        assert_eq!(column, below.map(|at| at + 2), "{table}");
        assert_eq!(table.matches("word").count(), 20, "{table}");
        let longest = table.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some("another row".len() + RESULT + 9), "{table}");
    }

    #[test]
    fn one_shortfall_fails_the_whole() {
        let mut report = Report::default();
        report.add("Calm", "GETs", "10", Vec::new());
        assert!(report.passed());
        report.add("Calm", "more", "9 of 10", vec!["one is missing".into()]);
        assert!(!report.passed());
        assert!(report.table().contains("one is missing"));
    }
}
