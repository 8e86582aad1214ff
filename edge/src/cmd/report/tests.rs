//! What is heard of edges, and what is made of it.

use snapshot::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use super::account::Telling;
use super::gather::{Heard, LINE_BYTES, LOG_BYTES, PATIENCE, gather};
use super::told::WRITES;
use crate::log::{Came, Entry, Event, OrderSaid};

const FROM: Timestamp = Timestamp(1_795_323_900_000);
const TO: Timestamp = Timestamp(1_795_323_960_000);

fn at(ms: u64, event: Event) -> Entry {
    Entry::new(Timestamp(FROM.0 + ms), Some("small".to_owned()), event)
}

/// `pay` is in this state from now on.
fn state(to: &str) -> Event {
    Event::State {
        service: "pay".to_owned(),
        from: None,
        to: to.to_owned(),
        reason: "calm".to_owned(),
    }
}

fn heard(name: &str) -> Heard {
    Heard {
        url: "http://127.0.0.1:1".parse().unwrap(),
        name: Some(name.to_owned()),
        error: None,
    }
}

/// Digests run against the epochs, so that they cannot be what sorts.
fn said(epoch: u64) -> OrderSaid {
    OrderSaid {
        scope: "service:pay".to_owned(),
        epoch,
        digest: (9 - epoch).to_string(),
        mode: "degraded".to_owned(),
        insists: false,
        notices: 0,
        pin: None,
        who: "Minji".to_owned(),
        why: "fire".to_owned(),
        signers: Vec::new(),
        signed_at: FROM.rfc3339(),
        ends_at: None,
        equal_epoch: None,
        came: Came::Mirror { url: String::new() },
        envelope: None,
    }
}

/// An edge that answers every request with `head` and then `piece` without end, or not at all.
async fn edge(head: &'static str, piece: Vec<u8>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let piece = piece.clone();
            tokio::spawn(async move {
                let mut asked = vec![0; 4096];
                let read = stream.read(&mut asked).await.unwrap_or(0);
                let is_log = asked[..read].starts_with(b"GET /log");
                let end =
                    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let answer = if is_log { head } else { end };
                if stream.write_all(answer.as_bytes()).await.is_err() || !is_log {
                    return;
                }
                while !piece.is_empty() && stream.write_all(&piece).await.is_ok() {}
                std::future::pending::<()>().await;
            });
        }
    });
    url.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_no_log_or_never_ends_is_given_up() {
    let endless = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let lines = [vec![b'x'; 60_000], b"\n".to_vec()].concat();
    let edges = [
        edge("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", Vec::new()).await,
        edge(endless, vec![b'x'; 60_000]).await,
        edge(endless, lines).await,
        edge(endless, Vec::new()).await,
    ];
    let told = gather(&edges, (FROM, TO), None, |_, entry| panic!("{entry:?}")).await;
    let errors: Vec<String> = told.into_iter().map(|one| one.error.unwrap()).collect();
    let expected = [
        "/log answers 503".to_owned(),
        format!("/log has a line longer than {LINE_BYTES} bytes"),
        format!("/log is longer than {LOG_BYTES} bytes: the rest is not read"),
        format!("nothing came for {PATIENCE:?}"),
    ];
    assert_eq!(errors, expected);
}

#[test]
fn writes_beyond_those_listed_are_counted() {
    let mut telling = Telling::new(FROM);
    for n in 0..WRITES + 5 {
        let event = Event::WriteRefused {
            reference: format!("BDFG-{n}"),
            route: "/pay/".to_owned(),
            service: "pay".to_owned(),
        };
        telling.take(0, at(n as u64, event));
    }
    let account = telling.account(vec![heard("seoul-1")], TO);
    assert_eq!(account.writes.len(), WRITES);
    assert_eq!(account.services[0].writes_refused, WRITES as u64 + 5);
    let text = super::text::text(&account);
    assert!(text.contains("and 985 more: --format json"), "{text}");
    assert!(super::html::html(&account).contains("And 5 more."));
}

#[test]
fn orders_of_one_second_are_told_by_their_epochs() {
    for epochs in [[3, 2, 1], [1, 3, 2]] {
        let mut telling = Telling::new(FROM);
        for epoch in epochs {
            telling.take(0, at(epoch, Event::OrderAccepted(said(epoch))));
        }
        let account = telling.account(vec![heard("seoul-1")], TO);
        let told: Vec<u64> = account.orders.iter().map(|told| told.said.epoch).collect();
        assert_eq!(told, [1, 2, 3]);
    }
}

#[test]
fn an_alarm_is_told_from_when_to_when_and_an_edge_by_what_it_says_of_itself() {
    let mut telling = Telling::new(FROM);
    let raised = |why: &str| Event::AlarmRaised {
        alarm: "disk".to_owned(),
        why: why.to_owned(),
    };
    telling.take(0, at(1000, raised("full")));
    let since = Timestamp(FROM.0 + 1000).rfc3339();
    let alarm = "disk".to_owned();
    telling.take(0, at(2000, Event::AlarmCleared { alarm, since }));
    telling.take(1, at(3000, raised("read-only")));
    let (name, version) = ("busan-2".to_owned(), "1".to_owned());
    telling.take(1, at(10, Event::EdgeStarted { name, version }));
    telling.take(1, at(10, Event::Lost { entries: 7 }));
    let gone = Heard {
        name: None,
        error: Some("/log broke off".to_owned()),
        ..heard("")
    };
    let account = telling.account(vec![heard("seoul-1"), gone], TO);
    let told: Vec<_> = account
        .alarms
        .iter()
        .map(|alarm| {
            (
                alarm.edge.as_str(),
                alarm.why.as_str(),
                alarm.until.is_some(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("seoul-1", "full", true), ("busan-2", "read-only", false)]
    );
    assert_eq!(account.edges[1].lost, 7);
    let text = super::text::text(&account);
    for words in [
        "Told by 1 of 2 edges",
        "NOT HEARD: busan-2",
        "7 entries",
        "still raised",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn an_edge_that_starts_anew_has_no_alarm_until_it_raises_it_again() {
    let mut telling = Telling::new(FROM);
    let raised = || Event::AlarmRaised {
        alarm: "disk".to_owned(),
        why: "full".to_owned(),
    };
    let started = || {
        let (name, version) = ("seoul-1".to_owned(), "1".to_owned());
        Event::EdgeStarted { name, version }
    };
    telling.take(0, at(1000, raised()));
    telling.take(1, at(1000, raised()));
    // It crashed: nothing says that it is over.
    telling.take(0, at(5000, started()));
    telling.take(0, at(6000, raised()));
    telling.take(
        0,
        at(
            7000,
            Event::EdgeStopped {
                name: "seoul-1".to_owned(),
            },
        ),
    );
    let account = telling.account(vec![heard("seoul-1"), heard("busan-2")], TO);
    let told: Vec<_> = account
        .alarms
        .iter()
        .map(|alarm| (alarm.edge.as_str(), alarm.until.clone()))
        .collect();
    let ended = |ms: u64| Some(Timestamp(FROM.0 + ms).rfc3339_ms());
    assert_eq!(
        told,
        [
            ("seoul-1", ended(5000)),
            ("busan-2", None),
            ("seoul-1", ended(7000))
        ]
    );
}

#[test]
fn what_is_not_believed_is_told_by_what_it_is_and_so_are_ends_and_generations() {
    let mut telling = Telling::new(FROM);
    let refused = |what: &str, reason: &str, more| Event::Refused {
        what: what.to_owned(),
        reason: reason.to_owned(),
        why: String::new(),
        came: Came::Mirror { url: String::new() },
        more,
    };
    telling.take(0, at(0, refused("orders", "wrong-key", 0)));
    telling.take(0, at(0, refused("trust", "too-few-left", 0)));
    telling.take(1, at(0, refused("trust", "too-few-left", 3)));
    for place in [0, 1] {
        let scope = "service:pay".to_owned();
        let ended = Event::ForcedEnded { scope, epoch: 4 };
        telling.take(place, at(100 + place as u64, ended));
        let accepted = Event::TrustAccepted {
            generation: 2,
            who: "Minji\u{1b}[2J".to_owned(),
            why: "a <b>stolen</b> key".to_owned(),
            signers: vec!["jun".to_owned()],
            came: Came::Mirror { url: String::new() },
        };
        telling.take(place, at(200, accepted));
        let unused = Event::ReleaseRefused {
            sequence: Some(9),
            check: "canary".to_owned(),
            source: None,
            why: "no page".to_owned(),
        };
        telling.take(place, at(300, unused));
    }
    let account = telling.account(vec![heard("seoul-1"), heard("busan-2")], TO);
    let json = serde_json::to_value(&account).unwrap();
    let refused = serde_json::json!({ "wrong-key": 1, "not told apart": 3 });
    assert_eq!(json["orders_refused"], refused);
    assert_eq!(
        json["trust_refused"],
        serde_json::json!({ "too-few-left": 2 })
    );
    assert_eq!(
        json["forced_ended"][0]["edges"].as_array().unwrap().len(),
        2
    );
    assert_eq!(json["trust"][0]["generation"], 2);
    assert_eq!(json["releases_refused"][0]["check"], "canary");
    let (text, html) = (super::text::text(&account), super::html::html(&account));
    for words in [
        "service:pay of small, order 4: its time was over",
        "generation 2 of small, by Minji",
        "refused 2 times: too-few-left",
        "small 9: canary",
        "on seoul-1, busan-2",
    ] {
        assert!(text.contains(words), "{words}: {text}");
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(html.contains("a &lt;b&gt;stolen&lt;/b&gt; key"), "{html}");
}

#[test]
fn others_words_do_nothing_to_a_terminal() {
    let mut telling = Telling::new(FROM);
    let said = OrderSaid {
        who: "minho\u{7}".to_owned(),
        why: "fire\u{1b}[2J\nOrders\n  none\u{202e}".to_owned(),
        ..said(1)
    };
    telling.take(0, at(1, Event::OrderAccepted(said)));
    let raised = Event::AlarmRaised {
        alarm: "disk".to_owned(),
        why: "full\r\u{9b}31m".to_owned(),
    };
    telling.take(0, at(2, raised));
    let text = super::text::text(&telling.account(vec![heard("seoul-1")], TO));
    let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(odd), "{text:?}");
    assert!(text.contains("why: fire [2J Orders   none"), "{text}");
}

#[test]
fn an_edge_that_was_stopped_answered_for_nothing_until_it_is_heard_again() {
    let mut telling = Telling::new(FROM);
    let name = "seoul-1".to_owned();
    telling.take(0, at(0, state("normal")));
    telling.take(0, at(10_000, Event::EdgeStopped { name }));
    telling.take(0, at(20_000, state("normal")));
    let account = telling.account(vec![heard("seoul-1")], TO);
    let pay = &account.services[0];
    let states: Vec<&str> = pay.spans.iter().map(|span| span.state.as_str()).collect();
    assert_eq!(states, ["normal", "down", "normal"]);
    let down = &pay.episodes[0];
    assert_eq!((down.state.as_str(), pay.episodes.len()), ("down", 1));
    let until = Timestamp(FROM.0 + 20_000).rfc3339_ms();
    assert_eq!((down.last_to.as_str(), down.open), (until.as_str(), false));
}

#[test]
fn an_edge_that_was_killed_answered_for_nothing_since_it_was_last_heard_of() {
    let mut telling = Telling::new(FROM);
    let (name, version) = ("seoul-1".to_owned(), "1".to_owned());
    telling.take(0, at(0, state("probing")));
    telling.take(0, at(10_000, Event::Lost { entries: 0 }));
    telling.take(0, at(20_000, Event::EdgeStarted { name, version }));
    telling.take(0, at(20_001, state("normal")));
    let account = telling.account(vec![heard("seoul-1")], TO);
    let last = Timestamp(FROM.0 + 10_000).rfc3339_ms();
    assert_eq!(account.edges[0].broke_off, [last.as_str()]);
    let probing = &account.services[0].episodes[0];
    assert_eq!(
        (probing.state.as_str(), &probing.last_to),
        ("probing", &last)
    );
    let text = super::text::text(&account);
    assert!(text.contains("seoul-1 broke off after"), "{text}");
}

#[test]
fn numbers_are_grouped_and_ages_told_in_the_largest_unit() {
    use super::text::{age, grouped};
    let grouped: Vec<String> = [0, 999, 1000, 1_027_699].into_iter().map(grouped).collect();
    assert_eq!(grouped, ["0", "999", "1,000", "1,027,699"]);
    let ages: Vec<String> = [5, 600, 7200, 864_000].into_iter().map(age).collect();
    assert_eq!(ages, ["5 s", "10 min", "2 h", "10 days"]);
}
