//! `edge order show --text`: what readers are told now, in words to paste where no page reaches.
//!
//! A service is down where an order says so, or where an edge says that its breaker does. Without an edge
//! to ask, nothing is known of breakers: then no word is said of what works.

use std::collections::BTreeMap;

use snapshot::order::Mode;
use snapshot::{Language, Manifest, Scope, ServiceName, Timestamp};

use super::mirrors::Held;
use crate::answer::{Standing, page_state};
use crate::cmd::ops::obeying::Obedience;
use crate::page::{PageState, Source, plain};

/// What the breakers of a pure fallback say, in which every service is always so.
const NO_ORIGIN: &str = "no-origin";

/// The words, by each of the site's languages.
pub(super) fn spoken(
    manifest: &Manifest,
    held: &Held,
    obedience: &Obedience,
    now: Timestamp,
) -> Vec<(Language, String)> {
    let down = down(manifest, held, obedience, now);
    let standing = back(manifest, held, &down, now);
    let notices = held.iter().flat_map(|known| {
        let scope = &known.order.scope;
        known
            .order
            .notices
            .iter()
            .map(move |notice| (scope.clone(), notice.clone()))
    });
    let mut notices: Vec<_> = notices.collect();
    notices.sort_by_key(|(_, notice)| std::cmp::Reverse(notice.at));
    let is_any_reached = obedience.edges.iter().any(|edge| edge.is_reached);
    let languages = manifest.languages.iter();
    let words = languages.map(|language| {
        let source = Source::Origin;
        let state: PageState = page_state(manifest, language, source, &down, &standing, &notices);
        (language.clone(), plain(&state, is_any_reached))
    });
    words.collect()
}

/// Services that are down, and since when.
fn down(
    manifest: &Manifest,
    held: &Held,
    obedience: &Obedience,
    now: Timestamp,
) -> BTreeMap<ServiceName, Option<Timestamp>> {
    let mut down = BTreeMap::new();
    for service in &manifest.services {
        let scopes = [Scope::Site, Scope::Service(service.name.clone())];
        let orders = scopes.iter().filter_map(|scope| held.newest(scope));
        let degraded = orders.filter(|known| known.order.mode_at(now) == Mode::Degraded);
        let mut since: Vec<Option<Timestamp>> =
            degraded.map(|known| Some(known.order.signed_at)).collect();
        for edge in &obedience.edges {
            since.extend(since_at(edge.status.as_ref(), &service.name));
        }
        // The first that anybody knew of.
        if !since.is_empty() {
            down.insert(service.name.clone(), since.into_iter().flatten().min());
        }
    }
    down
}

/// Since when an edge says that `service` is down, if it says so.
fn since_at(
    status: Option<&serde_json::Value>,
    service: &ServiceName,
) -> Option<Option<Timestamp>> {
    let services = status?.get("services")?.as_array()?;
    let own = services
        .iter()
        .find(|known| known["name"] == service.as_str())?;
    (own["state"] == "degraded" && own["reason"] != NO_ORIGIN)
        .then(|| own["since"].as_str().and_then(Timestamp::from_rfc3339))
}

fn back(
    manifest: &Manifest,
    held: &Held,
    down: &BTreeMap<ServiceName, Option<Timestamp>>,
    now: Timestamp,
) -> BTreeMap<ServiceName, Standing> {
    let up = manifest.services.iter();
    let up = up.filter(|service| !down.contains_key(&service.name));
    up.map(|service| {
        let scopes = [Scope::Site, Scope::Service(service.name.clone())];
        let told = scopes.iter().filter_map(|scope| held.newest(scope));
        let standing = Standing {
            mode: "normal",
            since: None,
            back: told.filter_map(|known| known.order.back_at(now)).max(),
        };
        (service.name.clone(), standing)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use snapshot::order::{Back, Notice};

    use super::*;
    use crate::cmd::ops::obeying::EdgeAnswer;
    use crate::fixture;

    /// 2026-11-22 14:05 KST.
    const NOW: Timestamp = Timestamp::from_secs(1_795_323_900);

    fn held(change: impl FnOnce(&mut snapshot::Order)) -> Held {
        let mut order = fixture::order("service:pay", 1, Mode::Automatic);
        order.signed_at = NOW;
        order.ends_at = None;
        order.notices = vec![Notice {
            at: NOW,
            text: [("en", "soon")].into_iter().collect(),
        }];
        change(&mut order);
        let mut held = Held::default();
        let payload = snapshot::encode(&order).unwrap();
        held.put(&snapshot::Envelope::seal(payload));
        held
    }

    fn edges(state: &str, reason: &str) -> Obedience {
        let service = json!({ "name": "pay", "state": state, "reason": reason, "since": "2026-11-22T04:20:00Z" });
        Obedience {
            edges: vec![EdgeAnswer {
                name: "seoul-1".to_owned(),
                url: "http://127.0.0.1:1".parse().unwrap(),
                is_reached: true,
                in_force: true,
                after: None,
                error: None,
                left_behind: None,
                status: Some(json!({ "services": [service] })),
            }],
        }
    }

    fn said(held: &Held, obedience: &Obedience) -> String {
        let words = spoken(&fixture::manifest(Vec::new()), held, obedience, NOW);
        let words = words.into_iter();
        let words: Vec<String> = words
            .map(|(language, text)| format!("[{language}]\n{text}"))
            .collect();
        words.join("\n")
    }

    #[test]
    fn an_outage_is_told_in_every_language() {
        let held = held(|order| order.mode = Mode::Degraded);
        assert_eq!(
            said(&held, &Obedience::default()),
            "[ko]\n다솜: 일부 서비스가 멈춰 있습니다\n\
             - 다솜페이 (11월 22일 14:05(KST)부터): 계좌로 보내 주세요\n\n\
             11월 22일 14:05: 다솜페이: soon [en]\n\n\
             [en]\nDasom: Some services are down\n\
             - Dasom Pay (since 14:05 KST, 22 Nov): Send to the account\n\n\
             14:05, 22 Nov: Dasom Pay: soon\n"
        );
    }

    #[test]
    fn what_breakers_took_down_is_told_where_an_edge_tells_it() {
        let held = held(|_| {});
        let down = said(&held, &edges("degraded", "connect"));
        assert!(
            down.contains("- Dasom Pay (since 13:20 KST, 22 Nov)"),
            "{down}"
        );
        for calm in [edges("normal", "calm"), edges("degraded", "no-origin")] {
            let calm = said(&held, &calm);
            assert!(calm.contains("Dasom: All services are working\n"), "{calm}");
        }
        // Nobody was asked: nothing is said of what works.
        let silent = said(&held, &Obedience::default());
        assert!(!silent.contains("working"), "{silent}");
        assert!(silent.contains("soon"), "{silent}");
    }

    #[test]
    fn what_is_back_is_told_for_as_long_as_the_order_says() {
        let until = |until| {
            let back = Some(Back { since: NOW, until });
            said(&held(|order| order.back = back), &edges("normal", "calm"))
        };
        let told = until(Timestamp(u64::MAX));
        assert!(
            told.contains("- Dasom Pay: back since 14:05 KST, 22 Nov"),
            "{told}"
        );
        assert!(!until(NOW).contains("back since"));
    }
}
