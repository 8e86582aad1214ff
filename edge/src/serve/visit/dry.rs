//! A visit that nobody pays: who would answer, and what the snapshot would say.

use http::Method;
use snapshot::Scope;
use snapshot::manifest::Target;

use super::super::access::{Access, AnsweredBy};
use super::super::id::RequestId;
use super::super::status::service_status;
use super::super::why::{Answer, ComponentFacts, ReleaseFacts, Telling};
use super::{Plan, Visit, by};
use crate::answer::{Found, SnapshotAnswer, freshness};
use crate::mode::Effective;
use crate::page::emergency::Kind;

/// Why the snapshot is asked, for `Cache-Status`.
const DETAIL: &str = "dry-run";

impl Visit<'_> {
    /// Tells what happens from the route on.
    pub(in super::super) async fn tell(&self, telling: &mut Telling) {
        self.tell_route(telling);
        self.tell_service(telling);
        self.tell_orders(telling);
        self.tell_release(telling);
        if self.head.method == Method::GET || self.head.method == Method::HEAD {
            self.tell_read(telling).await;
        } else {
            self.tell_write(telling);
        }
    }

    fn tell_route(&self, telling: &mut Telling) {
        let Some(route) = self.route() else {
            let found = match &self.release {
                None => "none: this edge holds no release of the site yet".to_owned(),
                Some(release) => format!(
                    "none of the {} of release {}: the origin's alone",
                    release.manifest.routes.len(),
                    release.release.sequence
                ),
            };
            return telling.step("route", [found]);
        };
        let mut traits = vec![route.isolation.as_str().to_owned()];
        if self.is_below_capability() {
            traits.push("its capability taken out".to_owned());
        }
        if route.always {
            traits.push("from the snapshot in every mode".to_owned());
        }
        if route.rewrite {
            traits.push("rewritten".to_owned());
        }
        if route.status {
            traits.push("the site's status, for any script".to_owned());
        }
        telling.told.route = Some(route.path.clone());
        telling.step("route", [format!("{} ({})", route.path, traits.join(", "))]);
    }

    fn tell_service(&self, telling: &mut Telling) {
        let name = self.route().map_or("-", |route| route.service.as_str());
        let status = service_status(name, &self.gate.mode());
        let since = match &status.since {
            Some(since) => format!("since {since}"),
            None => "since this edge started".to_owned(),
        };
        let found = format!("{name}: {}, {}, {since}", status.state, status.reason);
        telling.told.service = Some(status);
        telling.step("service", [found]);
    }

    fn tell_orders(&self, telling: &mut Telling) {
        let mut scopes = vec![Scope::Site.to_string()];
        let service = self.route().map(|route| route.service.clone());
        scopes.extend(service.map(|name| Scope::Service(name).to_string()));
        let mut orders = self.site.copy.order_statuses();
        orders.retain(|order| scopes.contains(&order.scope));
        let mut found: Vec<String> = orders
            .iter()
            .map(|order| {
                let until = order.ends_at.as_ref();
                let until = until.map_or_else(String::new, |end| format!(" until {end}"));
                let why = match order.why.as_str() {
                    "" => String::new(),
                    why => format!(": {why}"),
                };
                format!(
                    "{}: {}{until} (order {}, {}, {}{why})",
                    order.scope, order.mode, order.epoch, order.signed_at, order.who
                )
            })
            .collect();
        if found.is_empty() {
            found.push(format!("none for {}", scopes.join(" or ")));
        }
        telling.told.orders = orders;
        telling.step("orders", found);
    }

    fn tell_release(&self, telling: &mut Telling) {
        let Some(release) = &self.release else {
            return telling.step("release", ["none yet".to_owned()]);
        };
        let now = self.site.copy.edge_time();
        let route = self.route();
        let age = now.since(release.release.as_of).as_secs();
        let by_route = route.map(|route| {
            let (stale, too_old) = (route.stale_after_s, route.too_old_after_s);
            freshness(&release.release, now, stale, too_old)
        });
        let canaries = release.manifest.canaries.iter();
        let canaries = canaries
            .filter(|canary| route.is_some_and(|r| r.path == release.routes.template(&canary.path)))
            .count();
        let facts = ReleaseFacts {
            sequence: release.release.sequence.0,
            as_of: release.release.as_of.rfc3339(),
            age_s: age,
            freshness: by_route.map(|freshness| freshness.as_str().to_owned()),
            canaries,
        };
        let freshness = facts.freshness.as_deref();
        let freshness = freshness.map_or_else(String::new, |freshness| format!(", {freshness}"));
        let mut found = vec![format!(
            "{} as of {}, {age} s old{freshness}",
            facts.sequence, facts.as_of
        )];
        if route.is_some() {
            let all = release.manifest.canaries.len();
            found.push(match canaries {
                0 => format!("none of its {all} canaries takes this route"),
                _ => format!("{canaries} of its {all} canaries on this route, all answered"),
            });
        }
        telling.told.release = Some(facts);
        telling.step("release", found);
    }

    async fn tell_read(&self, telling: &mut Telling) {
        if let Some(answer) = self.always().await
            && answer.found == Found::Answer
        {
            let who = "the snapshot, whatever the mode: the route is `always`";
            self.tell_made(telling, &answer);
            telling.note("who", who);
            telling.told.answer = Some(self.given(answer).await);
            return self.tell_answer(telling);
        }
        // Asked as a write is: a read of a recovering service would use up a turn.
        let plan = self.plan(self.gate.admit_write());
        let who = match &plan {
            Plan::Origin(origin) => match self.gate.mode().effective {
                Effective::Probing(share) => format!(
                    "the origin, {}, for {share} of 100 reads while it recovers; the snapshot for the rest",
                    origin.address()
                ),
                _ => format!("the origin, {}; the snapshot if it fails", origin.address()),
            },
            Plan::Snapshot(why) => format!("the snapshot: {why}"),
            Plan::Loop => "nobody: it goes in circles".to_owned(),
        };
        let service = self.route().filter(|route| !route.always);
        let service = service.map(|route| &route.service);
        let share = service.and_then(|name| self.edge.rehearsals.share(&self.site.name, name));
        let rehearsed = share.map(|share| {
            format!(
                "an outage is rehearsed: the snapshot for {share} of 100 reads without a cookie"
            )
        });
        telling.step("who", [Some(who), rehearsed].into_iter().flatten());
        let reason = match plan {
            Plan::Snapshot(why) => why,
            _ => DETAIL,
        };
        let answer = match self.instead(reason).await {
            Some(answer) => {
                self.tell_made(telling, &answer);
                self.given(answer).await
            }
            None => {
                telling.note("memo", MEMO);
                self.refused(Kind::Unavailable, reason)
            }
        };
        if matches!(plan, Plan::Origin(_)) {
            telling.told.without_origin = Some(answer);
        } else {
            telling.told.answer = Some(answer);
        }
        self.tell_answer(telling);
    }

    /// Tells who asks for anything but the status on a host that is for it alone.
    pub(in super::super) fn tell_elsewhere(&self, telling: &mut Telling) {
        let mut access = Access::new(RequestId::next());
        let answer = self.elsewhere(&mut access);
        telling.told.answer = Some(Answer::of(&answer, AnsweredBy::Edge));
        let found = "none: this host is for the site's status alone (`status-hosts` in edge.toml)";
        telling.step("route", [found.to_owned()]);
    }

    fn tell_write(&self, telling: &mut Telling) {
        if self.is_status() {
            telling.note("who", "nobody: the status takes no writes");
            telling.told.answer = Some(self.refused(Kind::MethodNotAllowed, "status"));
            return self.tell_answer(telling);
        }
        match self.plan(self.gate.admit_write()) {
            Plan::Origin(origin) => {
                let found = format!("the origin, {}, once", origin.address());
                telling.step("who", [found]);
            }
            Plan::Snapshot(why) => {
                telling.step("who", [format!("nobody: a write, and {why}")]);
                telling.told.answer = Some(self.refused(Kind::WriteRefused, why));
            }
            Plan::Loop => telling.note("who", "nobody: it goes in circles"),
        }
        self.tell_answer(telling);
    }

    fn tell_made(&self, telling: &mut Telling, answer: &SnapshotAnswer) {
        let target = self.route().map(|route| &route.target);
        let mut found = Vec::new();
        let step = match target {
            Some(Target::Component(name)) => {
                let guest = self
                    .release
                    .as_ref()
                    .and_then(|release| release.guests.get(name));
                let digest = guest.map(|guest| *guest.digest());
                telling.told.component = Some(ComponentFacts {
                    name: name.to_string(),
                    digest: digest.map(|digest| digest.to_string()).unwrap_or_default(),
                });
                let digest =
                    digest.map_or_else(|| "not there".to_owned(), |d| d.short().to_string());
                found.push(format!("{name} {digest}"));
                "component"
            }
            Some(Target::Assets(name)) => {
                telling.told.collection = Some(name.to_string());
                found.push(format!("files of the collection {name}"));
                "asset"
            }
            None => "snapshot",
        };
        let what = match answer.found {
            Found::Answer => "an answer".to_owned(),
            Found::NotFound => "proven absent".to_owned(),
            Found::Nothing(kind) => format!("nothing: {}", kind.as_str()),
        };
        let reads = answer.made_of.as_ref().map(|made| made.reads.len());
        let reads = reads.map_or_else(String::new, |reads| match reads {
            1 => ", 1 read".to_owned(),
            _ => format!(", {reads} reads"),
        });
        found.push(format!("{what}{reads}"));
        found.extend(answer.said.iter().map(|said| format!("it said: {said}")));
        telling.step(step, found);
        telling.note("memo", MEMO);
    }

    fn tell_answer(&self, telling: &mut Telling) {
        let told = &telling.told;
        let said = |answer: &Answer| {
            let bytes = answer.bytes;
            let bytes = bytes.map_or_else(String::new, |bytes| format!(", {bytes} bytes"));
            format!("{} by the {}{bytes}", answer.status, answer.by)
        };
        let found = match (&told.answer, &told.without_origin) {
            (Some(answer), _) => vec![said(answer)],
            (None, None) => vec!["whatever the origin says; it was not asked".to_owned()],
            (None, Some(answer)) => vec![
                "whatever the origin says; it was not asked".to_owned(),
                format!("without it: {}", said(answer)),
            ],
        };
        telling.step("answer", found);
    }

    async fn given(&self, answer: SnapshotAnswer) -> Answer {
        let made_by = by(answer.found);
        let mut answer = answer.finish(self.reader).await;
        self.settle(&mut answer);
        Answer::of(&answer, made_by)
    }

    fn refused(&self, kind: Kind, reason: &'static str) -> Answer {
        let mut access = Access::new(RequestId::next());
        let mut answer = self.refuse(kind, reason, &mut access);
        self.settle(&mut answer);
        Answer::of(&answer, AnsweredBy::Edge)
    }
}

/// What there is to say of remembered answers.
const MEMO: &str = "none: this edge remembers no answers; each is made when it is asked for";
