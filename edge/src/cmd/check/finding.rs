//! What was found: one line and one remedy each.

use std::fmt::{Display, Write};

use serde_json::json;

/// What is looked at. Its name is for scripts, and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// Who can sign, and for how long yet.
    Signers,
    /// What mirrors and peers share.
    Places,
    /// Whether every edge tells how it is.
    Edges,
    /// How old the data is.
    Age,
    /// How long certificates hold, and whether clocks are right.
    Certificates,
    /// When the outage was last rehearsed.
    Rehearsal,
    /// Whether every route is asked for before a release is used.
    Routes,
    /// Room for one more release.
    Room,
    /// Where names point.
    Names,
}

impl Topic {
    pub(super) const ALL: [Self; 9] = [
        Self::Signers,
        Self::Places,
        Self::Edges,
        Self::Age,
        Self::Certificates,
        Self::Rehearsal,
        Self::Routes,
        Self::Room,
        Self::Names,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Signers => "signers",
            Self::Places => "places",
            Self::Edges => "edges",
            Self::Age => "age",
            Self::Certificates => "certificates",
            Self::Rehearsal => "rehearsal",
            Self::Routes => "routes",
            Self::Room => "room",
            Self::Names => "names",
        }
    }

    /// What is said where nothing was found.
    const fn well(self) -> &'static str {
        match self {
            Self::Signers => "somebody is left to sign when one person is not",
            Self::Places => "no single network or provider takes all mirrors or all edges",
            Self::Edges => "every edge tells how it is",
            Self::Age => "every edge holds data within its policy",
            Self::Certificates => "no certificate is near its end, no clock is off",
            Self::Rehearsal => "every service was rehearsed lately",
            Self::Routes => "a canary asks for every route",
            Self::Room => "every edge has room for one more release",
            Self::Names => "no name depends on the origin",
        }
    }
}

/// Something that would not survive tonight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) topic: Topic,
    /// What is wrong, and where.
    pub(super) problem: String,
    /// What to do about it.
    pub(super) remedy: String,
}

impl Finding {
    pub(super) fn new(topic: Topic, problem: impl Display, remedy: impl Into<String>) -> Self {
        Self {
            topic,
            problem: problem.to_string(),
            remedy: remedy.into(),
        }
    }

    /// Something that could not be looked at. Whether it would survive nobody knows, so it is not well.
    pub(super) fn unseen(topic: Topic, why: impl Display, remedy: impl Into<String>) -> Self {
        Self::new(topic, format!("not looked at: {why}"), remedy)
    }
}

/// One line for each topic that is well, two for each finding, and the sum of it.
pub(super) fn words(site: &str, findings: &[Finding]) -> String {
    let mut text = String::new();
    for topic in Topic::ALL {
        let name = topic.as_str();
        let mut found = findings
            .iter()
            .filter(|finding| finding.topic == topic)
            .peekable();
        if found.peek().is_none() {
            writeln!(text, "✓ {name:<13} {}", topic.well()).ok();
        }
        for finding in found {
            writeln!(text, "✗ {name:<13} {}", finding.problem).ok();
            writeln!(text, "  {:<13} next: {}", "", finding.remedy).ok();
        }
    }
    match findings.len() {
        0 => writeln!(
            text,
            "{site} would survive tonight, as far as can be seen from here"
        ),
        1 => writeln!(text, "{site}: 1 thing to mend before tonight"),
        n => writeln!(text, "{site}: {n} things to mend before tonight"),
    }
    .ok();
    text
}

/// The same for a script.
pub(super) fn json(site: &str, findings: &[Finding]) -> serde_json::Value {
    let found = findings.iter().map(|finding| {
        json!({
            "topic": finding.topic.as_str(),
            "problem": finding.problem,
            "remedy": finding.remedy,
        })
    });
    json!({ "site": site, "ready": findings.is_empty(), "findings": found.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_a_line_and_a_remedy_and_what_is_well_is_said_too() {
        let found = [Finding::new(
            Topic::Room,
            "edge seoul-1: 5 MB free",
            "make room",
        )];
        let words = words("dasom", &found);
        assert!(
            words.contains("✗ room          edge seoul-1: 5 MB free\n"),
            "{words}"
        );
        assert!(words.contains("next: make room\n"), "{words}");
        assert_eq!(words.matches('✓').count(), Topic::ALL.len() - 1, "{words}");
        assert!(
            words.ends_with("dasom: 1 thing to mend before tonight\n"),
            "{words}"
        );
        assert_eq!(json("dasom", &found)["ready"], false);
        assert_eq!(json("dasom", &[])["ready"], true);
    }
}
