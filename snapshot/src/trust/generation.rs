//! The two trust files as one whole: either all of it is sound, or the old one stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::trust::policy::{self, Person, Role, Sites, Thresholds};
use crate::trust::problem::{Problem, TrustFile, TrustProblem};
use crate::trust::signers::{self, Grant, Line};
use crate::{Digest, Fingerprint, Namespace, Scope, SiteName, limits};

/// The two files as people wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustFiles {
    /// `allowed_signers`: which key is whose.
    pub allowed_signers: String,
    /// `trust.toml`: what a person may sign, and how many it takes.
    pub trust_toml: String,
}

impl TrustFiles {
    /// Names the generation that these files are.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&crate::encode(self).unwrap_or_default())
    }
}

/// Whom a site believes. Immutable: a changed file is another generation.
#[derive(Clone, Debug)]
pub struct Generation {
    digest: Digest,
    files: TrustFiles,
    pub(crate) persons: BTreeMap<String, Person>,
    pub(crate) keys: BTreeMap<Fingerprint, Key>,
    thresholds: Thresholds,
}

/// A listed key: whose it is, and what its lines allow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Key {
    /// `None`: listed, but for nobody in `trust.toml`.
    pub(crate) person: Option<String>,
    pub(crate) grants: Vec<Grant>,
}

impl Generation {
    /// Reads `allowed_signers` and `trust.toml`.
    ///
    /// # Errors
    /// Every problem of both files, in their order.
    pub fn parse(allowed_signers: &str, trust_toml: &str) -> Result<Self, Vec<TrustProblem>> {
        // 11.1 Both files are within their size.
        let mut problems = too_large(allowed_signers, trust_toml);
        if !problems.is_empty() {
            return Err(problems);
        }
        // 11.2 The signers' lines can be read.
        let (lines, found) = signers::parse(allowed_signers);
        problems.extend(found);
        // 11.3 The policy can be read.
        let (policy, found) = policy::parse(trust_toml);
        problems.extend(found);
        // 11.4 Together they make sense.
        let (keys, found) = own(lines, &policy.persons);
        problems.extend(found);
        let files = TrustFiles {
            allowed_signers: allowed_signers.to_owned(),
            trust_toml: trust_toml.to_owned(),
        };
        let generation = Self {
            digest: files.digest(),
            files,
            persons: policy.persons,
            keys,
            thresholds: policy.thresholds,
        };
        // A broken line would only be reported twice, as what follows from it.
        if problems.is_empty() {
            problems.extend(generation.contradictions(policy.thresholds_line));
        }
        if problems.is_empty() {
            Ok(generation)
        } else {
            problems.sort_by_key(|problem| (problem.file, problem.line));
            Err(problems)
        }
    }

    /// Names this generation: equal files, equal digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What it was read from.
    #[must_use]
    pub const fn files(&self) -> &TrustFiles {
        &self.files
    }

    /// How many persons each kind of statement takes.
    #[must_use]
    pub const fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// Makes sure that releases of `site` can be signed at all.
    ///
    /// # Errors
    /// [`Problem::Empty`] or [`Problem::Unreachable`].
    pub fn require(&self, site: &SiteName) -> Result<(), TrustProblem> {
        self.reachable(site).map_err(|problem| TrustProblem {
            file: TrustFile::TrustToml,
            line: None,
            problem,
        })
    }

    /// Makes sure that all of it can go on being signed for `site`: releases, orders, and the generation
    /// after this one.
    ///
    /// # Errors
    /// [`Problem::Empty`] or [`Problem::Unreachable`].
    pub fn require_all(&self, site: &SiteName) -> Result<(), TrustProblem> {
        let all = self.reachable(site).and_then(|()| {
            let mut reached = self.reached(site).into_iter();
            reached.try_for_each(Reached::or_problem)
        });
        all.map_err(|problem| TrustProblem {
            file: TrustFile::TrustToml,
            line: None,
            problem,
        })
    }

    /// True if the persons whose keys these are would still be enough: their keys are listed,
    /// their role and sites allow it. Dates are not asked for; they are judged at acceptance.
    #[must_use]
    pub fn still_trusts<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a Fingerprint>,
        namespace: Namespace,
        site: &SiteName,
        scope: Option<&Scope>,
    ) -> bool {
        let listed = keys.into_iter().filter_map(|key| self.keys.get(key));
        self.able(listed, namespace, site) >= self.thresholds.needed(namespace, scope)
    }

    pub(crate) fn key(&self, fingerprint: &Fingerprint) -> Option<&Key> {
        self.keys.get(fingerprint)
    }

    pub(crate) fn person_of<'a>(&'a self, key: &'a Key) -> Option<(&'a str, &'a Person)> {
        let name = key.person.as_deref()?;
        Some((name, self.persons.get(name)?))
    }

    fn contradictions(&self, thresholds_line: Option<usize>) -> Vec<TrustProblem> {
        let mut problems = Vec::new();
        let mut note = |line, problem| {
            problems.push(TrustProblem {
                file: TrustFile::TrustToml,
                line,
                problem,
            });
        };
        for (name, person) in &self.persons {
            if !self
                .keys
                .values()
                .any(|key| key.person.as_ref() == Some(name))
            {
                note(Some(person.line), Problem::NoKey(name.clone()));
            }
        }
        let mut sites: BTreeSet<&SiteName> = BTreeSet::new();
        for person in self.persons.values() {
            if let Sites::These(these) = &person.sites {
                sites.extend(these);
            }
        }
        let mut everywhere = self.persons.values().filter(|p| p.sites == Sites::All);
        if sites.is_empty() && !everywhere.any(|p| p.roles.contains(&Role::Publisher)) {
            note(None, Problem::Empty { site: None });
        }
        for site in sites {
            if let Err(problem) = self.reachable(site) {
                note(thresholds_line, problem);
            }
        }
        problems
    }

    /// Releases can be signed; orders and successions too, where there is anybody who signs them at all.
    fn reachable(&self, site: &SiteName) -> Result<(), Problem> {
        let reached = self.reached(site);
        if reached
            .iter()
            .any(|it| it.role == Role::Publisher && it.have == 0)
        {
            return Err(Problem::Empty {
                site: Some(site.to_string()),
            });
        }
        let mut begun = reached.into_iter().filter(|reached| reached.have > 0);
        begun.try_for_each(Reached::or_problem)
    }

    /// For each threshold how many persons could sign.
    fn reached(&self, site: &SiteName) -> [Reached; 4] {
        let Thresholds {
            release,
            order,
            site_order,
            trust,
        } = self.thresholds;
        let able = |namespace| self.able(self.keys.values(), namespace, site);
        let (orders, whole) = (able(Namespace::Order), "orders about the whole site");
        [
            (
                "releases",
                Role::Publisher,
                able(Namespace::Release),
                release,
            ),
            ("orders", Role::Operator, orders, order),
            (whole, Role::Operator, orders, site_order),
            ("successions", Role::Operator, able(Namespace::Trust), trust),
        ]
        .map(|(what, role, have, need)| Reached {
            what,
            site: site.clone(),
            role,
            have,
            need,
        })
    }

    /// How many persons can sign for this purpose and site with these keys.
    fn able<'a>(
        &'a self,
        keys: impl Iterator<Item = &'a Key>,
        namespace: Namespace,
        site: &SiteName,
    ) -> usize {
        keys.filter_map(|key| {
            let (name, person) = self.person_of(key)?;
            let may = key.grants.iter().any(|grant| grant.allows(namespace))
                && person.roles.contains(&Role::of(namespace))
                && person.sites.has(site);
            may.then_some(name)
        })
        .collect::<BTreeSet<_>>()
        .len()
    }
}

/// How many persons could sign something, and how many it takes.
struct Reached {
    what: &'static str,
    site: SiteName,
    role: Role,
    have: usize,
    need: usize,
}

impl Reached {
    fn or_problem(self) -> Result<(), Problem> {
        if self.have >= self.need {
            return Ok(());
        }
        Err(Problem::Unreachable {
            what: self.what,
            site: self.site.to_string(),
            role: self.role,
            have: self.have,
            need: self.need,
        })
    }
}

fn too_large(allowed_signers: &str, trust_toml: &str) -> Vec<TrustProblem> {
    [
        (TrustFile::AllowedSigners, allowed_signers.len()),
        (TrustFile::TrustToml, trust_toml.len()),
    ]
    .into_iter()
    .filter(|(_, got)| *got > limits::TRUST_FILE_BYTES)
    .map(|(file, got)| TrustProblem {
        file,
        line: None,
        problem: Problem::TooLarge { got },
    })
    .collect()
}

/// Gives each key to its one person, with what the lines that name this person allow it.
fn own(
    lines: Vec<Line>,
    persons: &BTreeMap<String, Person>,
) -> (BTreeMap<Fingerprint, Key>, Vec<TrustProblem>) {
    let mut keys: BTreeMap<Fingerprint, Key> = BTreeMap::new();
    let mut problems = Vec::new();
    for line in lines {
        let key = keys.entry(line.key).or_default();
        for name in persons.keys().filter(|name| line.principals.matches(name)) {
            match &key.person {
                Some(first) if first != name => problems.push(TrustProblem {
                    file: TrustFile::AllowedSigners,
                    line: Some(line.number),
                    problem: Problem::SharedKey {
                        key: line.key,
                        first: first.clone(),
                        second: name.clone(),
                    },
                }),
                _ => {
                    key.person = Some(name.clone());
                    key.grants.push(line.grant.clone());
                }
            }
        }
    }
    (keys, problems)
}
