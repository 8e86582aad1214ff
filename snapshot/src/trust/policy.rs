//! `trust.toml`: which person has which role on which sites, and how many it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml_span::value::{Table, Value, ValueInner};
use toml_span::{ErrorKind, Span};

use crate::trust::problem::{Problem, TrustFile, TrustProblem};
use crate::{Namespace, Scope, SiteName, limits};

/// What a person may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Signs releases.
    Publisher,
    /// Signs orders, and who is believed from now on.
    Operator,
}

impl Role {
    /// The role that a purpose asks for.
    #[must_use]
    pub const fn of(namespace: Namespace) -> Self {
        match namespace {
            Namespace::Release => Self::Publisher,
            Namespace::Order | Namespace::Trust => Self::Operator,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publisher => "publisher",
            Self::Operator => "operator",
        })
    }
}

/// How many distinct persons, each with a key of their own, a statement takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Releases.
    pub release: usize,
    /// Orders about one service.
    pub order: usize,
    /// Orders about the whole site.
    pub site_order: usize,
    /// Successions: the generation that comes after. Without a number of its own it is that of orders
    /// about the whole site.
    pub trust: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            release: 1,
            order: 1,
            site_order: 1,
            trust: 1,
        }
    }
}

impl Thresholds {
    /// How many a statement for `namespace` takes. An order without a scope is judged as one
    /// about the whole site.
    #[must_use]
    pub fn needed(&self, namespace: Namespace, scope: Option<&Scope>) -> usize {
        match (namespace, scope) {
            (Namespace::Release, _) => self.release,
            (Namespace::Order, Some(Scope::Service(_))) => self.order,
            (Namespace::Order, Some(Scope::Site) | None) => self.site_order,
            (Namespace::Trust, _) => self.trust,
        }
    }

    /// Each with its name in `trust.toml`.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, usize); 4] {
        [
            ("release", self.release),
            ("order", self.order),
            ("site-order", self.site_order),
            ("trust", self.trust),
        ]
    }
}

/// The sites a person may sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sites {
    All,
    These(BTreeSet<SiteName>),
}

impl Sites {
    pub(crate) fn has(&self, site: &SiteName) -> bool {
        match self {
            Self::All => true,
            Self::These(sites) => sites.contains(site),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) line: usize,
    pub(crate) roles: BTreeSet<Role>,
    pub(crate) sites: Sites,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    pub(crate) persons: BTreeMap<String, Person>,
    pub(crate) thresholds: Thresholds,
    pub(crate) thresholds_line: Option<usize>,
}

pub(crate) fn parse(text: &str) -> (Policy, Vec<TrustProblem>) {
    let mut reader = Reader {
        text,
        problems: Vec::new(),
    };
    let policy = reader.document();
    (policy, reader.problems)
}

/// Walks the document and notes what is wrong instead of stopping there.
struct Reader<'a> {
    text: &'a str,
    problems: Vec<TrustProblem>,
}

impl Reader<'_> {
    fn document(&mut self) -> Policy {
        let mut policy = Policy::default();
        let mut root = match toml_span::parse(self.text) {
            Ok(root) => root,
            Err(error) => {
                let detail = match &error.kind {
                    // Its own text names byte offsets; the line is told beside it.
                    ErrorKind::DuplicateKey { key, .. } => format!("duplicate key {key:?}"),
                    ErrorKind::DuplicateTable { name, .. } => format!("duplicate table {name:?}"),
                    _ => error.to_string(),
                };
                self.note(error.span, Problem::Toml(detail));
                return policy;
            }
        };
        let Some(mut table) = self.table(&mut root, "tables [person.NAME] and [thresholds]") else {
            return policy;
        };
        if let Some(mut persons) = table.remove("person")
            && let Some(persons) = self.table(&mut persons, "tables [person.NAME]")
        {
            for (name, mut value) in persons {
                let line = self.line(name.span);
                let name = name.name.into_owned();
                if let Some(person) = self.person(&name, line, &mut value) {
                    policy.persons.insert(name, person);
                }
            }
        }
        if let Some(mut value) = table.remove("thresholds") {
            policy.thresholds_line = Some(self.line(value.span));
            policy.thresholds = self.thresholds(&mut value);
        }
        self.unknown(table, "person or thresholds");
        policy
    }

    fn person(&mut self, name: &str, line: usize, value: &mut Value<'_>) -> Option<Person> {
        let before = self.problems.len();
        let mut table = self.table(value, "a table with roles and sites")?;
        let roles = self.texts(&mut table, "roles");
        let sites = self.texts(&mut table, "sites");
        self.unknown(table, "roles or sites");

        let mut person = Person {
            line,
            roles: BTreeSet::new(),
            sites: Sites::These(BTreeSet::new()),
        };
        let nothing = [("role", roles.is_empty()), ("site", sites.is_empty())];
        for (role, span) in roles {
            match role.as_str() {
                "publisher" => _ = person.roles.insert(Role::Publisher),
                "operator" => _ = person.roles.insert(Role::Operator),
                _ => self.note(span, Problem::Role(role)),
            }
        }
        for (site, span) in sites {
            match (site.as_str(), site.parse(), &mut person.sites) {
                ("*", ..) => person.sites = Sites::All,
                (_, Ok(site), Sites::These(sites)) => _ = sites.insert(site),
                (_, Ok(_), Sites::All) => {}
                (_, Err(_), _) => self.note(span, Problem::Site(site)),
            }
        }
        // A list that is missing or of the wrong kind has been noted already.
        if self.problems.len() == before {
            for (what, _) in nothing.into_iter().filter(|(_, nothing)| *nothing) {
                let person = name.to_owned();
                self.at_line(line, Problem::Idle { person, what });
            }
        }
        Some(person)
    }

    fn thresholds(&mut self, value: &mut Value<'_>) -> Thresholds {
        let mut thresholds = Thresholds::default();
        let Some(mut table) = self.table(value, "a table of numbers") else {
            return thresholds;
        };
        // Not said: as many as the whole site takes.
        thresholds.trust = 0;
        for (name, threshold) in [
            ("release", &mut thresholds.release),
            ("order", &mut thresholds.order),
            ("site-order", &mut thresholds.site_order),
            ("trust", &mut thresholds.trust),
        ] {
            let Some(value) = table.remove(name) else {
                continue;
            };
            let Some(got) = value.as_integer() else {
                self.note(
                    value.span,
                    Problem::Toml(format!("{name}: expected a number")),
                );
                continue;
            };
            match usize::try_from(got) {
                Ok(number) if (1..=limits::SIGNATURES).contains(&number) => *threshold = number,
                _ => self.note(value.span, Problem::Threshold { name, got }),
            }
        }
        self.unknown(table, "release, order, site-order or trust");
        if thresholds.trust == 0 {
            thresholds.trust = thresholds.site_order;
        }
        thresholds
    }

    fn table<'de>(&mut self, value: &mut Value<'de>, expected: &str) -> Option<Table<'de>> {
        match value.take() {
            ValueInner::Table(table) => Some(table),
            other => {
                let found = other.type_str();
                let detail = format!("expected {expected}, found {found}");
                self.note(value.span, Problem::Toml(detail));
                None
            }
        }
    }

    /// A list of texts, which may be absent.
    fn texts(&mut self, table: &mut Table<'_>, name: &str) -> Vec<(String, Span)> {
        let Some(value) = table.remove(name) else {
            return Vec::new();
        };
        let Some(items) = value.as_array() else {
            let detail = format!("{name}: expected a list of texts");
            self.note(value.span, Problem::Toml(detail));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_str() {
                Some(text) => texts.push((text.to_owned(), item.span)),
                None => self.note(item.span, Problem::Toml(format!("{name}: expected texts"))),
            }
        }
        texts
    }

    fn unknown(&mut self, rest: Table<'_>, expected: &str) {
        for key in rest.into_keys() {
            let problem = Problem::Unknown {
                key: key.name.into_owned(),
                expected: expected.to_owned(),
            };
            self.note(key.span, problem);
        }
    }

    fn note(&mut self, span: Span, problem: Problem) {
        let line = self.line(span);
        self.at_line(line, problem);
    }

    fn at_line(&mut self, line: usize, problem: Problem) {
        self.problems.push(TrustProblem {
            file: TrustFile::TrustToml,
            line: Some(line),
            problem,
        });
    }

    fn line(&self, span: Span) -> usize {
        let before = self.text.as_bytes().iter().take(span.start);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}
