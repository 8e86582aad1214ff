//! What guests read: records, sealed ones too, and what the host tells them.

use std::hint::black_box;

use kit::{Clock, Context, Day, Moment, Row};
use view::{Records, Step, Templates};

crate::decoders![
    sealed, row, invitation, account, page, template, context, moment
];

/// A sealed record. One plaintext has one sealed form.
fn sealed(bytes: &[u8]) -> bool {
    let Ok(plain) = seal::open("dasom", "accounts", valid::SECRET, bytes) else {
        return false;
    };
    assert!(plain.len() <= seal::PLAINTEXT_BYTES);
    let again = seal::seal("dasom", "accounts", valid::SECRET, &plain);
    assert_eq!(again.expect("it was sealed before"), bytes);
    true
}

/// A record that is a row.
fn row(bytes: &[u8]) -> bool {
    let Ok(row) = Row::parse(bytes) else {
        return false;
    };
    let context = told("/i/a/");
    for name in row.fields().keys() {
        black_box((row.field(name), row.text(name, &context.language)));
    }
    true
}

fn told(path: &str) -> Context {
    let headers = valid::HEADERS.iter().copied();
    Context::read(path, headers).expect("what a host says")
}

/// An invitation's page and its calendar entry.
fn invitation(bytes: &[u8]) -> bool {
    let page = ::invitation::answer(&told("/i/a/"), bytes);
    let event = ::invitation::answer(&told("/i/a/event.ics"), bytes);
    page.status == 200 && event.status == 200
}

/// A record's page of account numbers.
fn account(bytes: &[u8]) -> bool {
    ::account::answer(&told("/i/a/"), bytes).status == 200
}

fn render(template: &str, record: &[u8]) -> bool {
    let Ok(row) = Row::parse(record) else {
        return false;
    };
    let templates = Templates::new();
    templates.insert("it.html", Some(template.to_owned()));
    let step = view::render(&told("/club/a/"), "it.html", &Records::One(row), &templates);
    match step {
        Step::Done(answer) => {
            assert!(answer.body.len() <= view::OUTPUT_BYTES);
            answer.status == 200
        }
        Step::Needs(_) => false,
    }
}

/// A record behind a template.
fn page(bytes: &[u8]) -> bool {
    render(valid::TEMPLATE, bytes)
}

/// A template before a record.
fn template(bytes: &[u8]) -> bool {
    render(&crate::text(bytes), valid::ROW.as_bytes())
}

/// The headers that tell a guest of its request, one a line.
fn context(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    let headers = text.lines().filter_map(|line| line.split_once(": "));
    let Ok(context) = Context::read("/i/a/", headers) else {
        return false;
    };
    black_box((context.key(), context.is_below_capability()));
    black_box(context.place(0, "a").is_ok());
    true
}

/// Moments, days and times of day.
fn moment(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    let context = told("/i/a/");
    let moment = Moment::parse(&text).map(|moment| moment.plain());
    let day = Day::parse(&text).map(|day| day.long(&context.language));
    let clock = Clock::parse(&text).map(|clock| clock.long(&context.language));
    moment.or(day).or(clock).is_some()
}

mod valid {
    //! Records and headers as publisher and host write them.

    pub(super) const SECRET: &str = "k7Qp-2mXv-9sLd";

    pub(super) const ROW: &str = r#"{"id":"a","a1_side":"groom","a1_bank":"다솜은행",
        "a1_number":"110-1","couple":"Sora & Jun","date":"2026-12-05",
        "groom":"Jun","bride":"Sora","time":"14:00","place":"다솜홀","place_en":"Dasom Hall",
        "address":"1 <b>Bridge</b> St","accounts":[{"number":"110-234-567890",
        "holder":"Jun","relation":"son"}],"photos":["a.jpg","../b.jpg"],
        "phone":"+82 2 1234 5678","title":"Hike",
        "message_ko":"모십니다","message_en":"Come","balance":1200000,"none":null,"yes":true}"#;

    pub(super) const TEMPLATE: &str = "{% extends \"layout\" %}{% block content %}<h1>\
        {{ record.title }}</h1>{% for account in record.accounts %}<p>{{ account.number }}</p>\
        {% endfor %}{% endblock %}";

    pub(super) const HEADERS: [(&str, &str); 12] = [
        ("holdfast-site", "dasom"),
        ("holdfast-route", "/i/{id}/"),
        ("holdfast-param-id", "a"),
        ("holdfast-language", "ko"),
        ("holdfast-languages", "ko,en"),
        ("holdfast-as-of", "2026-11-22T05:05:00Z"),
        ("holdfast-freshness", "stale"),
        ("holdfast-modes", "club=normal,pay=degraded"),
        ("holdfast-privacy", "accounts=sealed,guides=public"),
        ("holdfast-now", "2026-11-22T05:06:00Z"),
        (
            "holdfast-notices",
            "%5B%7B%22scope%22%3A%22site%22%2C%22at%22%3A%222026-11-22T05%3A00%3A00Z%22%2C\
             %22language%22%3A%22ko%22%2C%22text%22%3A%22hi%22%7D%5D",
        ),
        (
            "holdfast-services",
            "%5B%7B%22name%22%3A%22pay%22%2C%22title%22%3A%22Pay%22%2C%22meanwhile%22%3A%22%22%2C\
             %22state%22%3A%22degraded%22%2C%22since%22%3Anull%7D%5D",
        ),
    ];

    pub(super) fn sealed() -> Vec<Vec<u8>> {
        ["", ROW]
            .map(|plain| {
                let sealed = seal::seal("dasom", "accounts", SECRET, plain.as_bytes());
                sealed.expect("it is short")
            })
            .to_vec()
    }

    pub(super) fn row() -> Vec<Vec<u8>> {
        crate::texts(["{}", ROW])
    }

    pub(super) fn invitation() -> Vec<Vec<u8>> {
        crate::texts([ROW])
    }

    pub(super) fn account() -> Vec<Vec<u8>> {
        crate::texts([ROW])
    }

    pub(super) fn page() -> Vec<Vec<u8>> {
        row()
    }

    pub(super) fn template() -> Vec<Vec<u8>> {
        crate::texts([TEMPLATE])
    }

    pub(super) fn context() -> Vec<Vec<u8>> {
        let lines = HEADERS.map(|(name, value)| format!("{name}: {value}\n"));
        let told = lines.concat();
        let more = "holdfast-capability: k7Qp%2D2mXv\nholdfast-template: club.html\n";
        crate::texts([&told, &format!("{told}{more}")])
    }

    pub(super) fn moment() -> Vec<Vec<u8>> {
        crate::texts(["2026-11-22T05:05:00Z", "2026-12-05", "14:00"])
    }
}
