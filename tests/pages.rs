//! Every page of the town's snapshot, held against what a phone on a bad day can take.

use rusqlite::{Connection, params_from_iter};
use town::db;
use town::model::{
    Accounts, BankAccount, Duty, Guide, Invitation, Meeting, Member, Payment, Place, Record,
    SignIn, Table, Talk, Taxi, Wishes,
};

use crate::scene::{Town, elements, eventually, parse, problems};

/// What somebody may type into any field.
const HOSTILE: &str = "<script>alert(1)</script>\"'&";
/// The capability of every hostile record.
const CAPABILITY: &str = "hostile-capability-0123";

/// Puts in a row with mark-up in every field; gives its id.
fn hostile<T: Table>(connection: &Connection) -> String {
    let id = "hostile-record-01";
    let values = T::COLUMNS.iter().map(|column| match *column {
        "id" | "service" => id,
        "cap" => CAPABILITY,
        // An invitation that has a time has a calendar's entry.
        "date" if T::NAME == Invitation::NAME => "2027-05-01",
        "time" if T::NAME == Invitation::NAME => "13:30",
        _ => HOSTILE,
    });
    let places = vec!["?"; T::COLUMNS.len()].join(", ");
    let insert = format!("insert into {} values ({places})", T::NAME);
    connection
        .execute(&insert, params_from_iter(values))
        .unwrap();
    id.to_owned()
}

/// The same; gives the row's page.
fn hostile_page<T: Record>(connection: &Connection) -> String {
    let id = hostile::<T>(connection);
    let key = if T::COLUMNS.contains(&"id") {
        "id"
    } else {
        "service"
    };
    db::one::<T>(connection, key, &id).unwrap().unwrap().path()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_small_whole_and_in_need_of_nothing_else() {
    let town = Town::lay_out().await.open_edges(1).await;
    let (world, at) = (&town.world, town.world.edges[0].public);
    for page in town.urls().pages {
        for language in ["ko", "en"] {
            let answer = world.client.get(at, &page, language).await.unwrap();
            let place = stage::systems::template(&page);
            assert_eq!(answer.status, 200, "{place} in {language}");
            assert!(answer.is_html(), "{place}");
            // The front page is one file for both languages and says which it is.
            let language = if page == "/" { "ko" } else { language };
            let wrong = problems(&answer.text(), language);
            assert!(
                wrong.is_empty(),
                "{place} in {language}: {wrong:#?}\n{}",
                answer.text()
            );
        }
    }
    // Also what an edge says by itself.
    for path in ["/guide/absent/", "/club/absent-absent/", "/i/absent/"] {
        for language in ["ko", "en"] {
            let answer = world.client.get(at, path, language).await.unwrap();
            assert!(
                answer.status.is_client_error() || answer.status.is_server_error(),
                "{path}"
            );
            let wrong = problems(&answer.text(), language);
            assert!(
                wrong.is_empty(),
                "{path} in {language}: {wrong:#?}\n{}",
                answer.text()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_any_field_is_text() {
    let town = Town::lay_out().await;
    let mut connection = db::open(&town.world.database()).unwrap();
    let sent = connection.transaction().unwrap();
    let id = hostile::<Invitation>(&sent);
    hostile::<Accounts>(&sent);
    let mut pages = vec![
        format!("/i/{id}/"),
        format!("/i/{id}/{CAPABILITY}/"),
        "/guide/".to_owned(),
        hostile_page::<BankAccount>(&sent),
        hostile_page::<Duty>(&sent),
        hostile_page::<Guide>(&sent),
        hostile_page::<Meeting>(&sent),
        hostile_page::<Member>(&sent),
        hostile_page::<Payment>(&sent),
        hostile_page::<Place>(&sent),
        hostile_page::<SignIn>(&sent),
        hostile_page::<Talk>(&sent),
        hostile_page::<Taxi>(&sent),
        hostile_page::<Wishes>(&sent),
    ];
    pages.push(format!("/i/{id}/{CAPABILITY}/gift"));
    sent.commit().unwrap();
    drop(connection);
    town::export(&town.world.site()).unwrap();

    let town = town.open_edges(1).await;
    let (world, at) = (&town.world, town.world.edges[0].public);
    for page in pages {
        for language in ["ko", "en"] {
            let answer = world.client.get(at, &page, language).await.unwrap();
            assert_eq!(answer.status, 200, "{page} in {language}");
            let html = answer.text();
            assert_markup_is_text(&html, &format!("{page} in {language}"));
            let wrong = problems(&html, language);
            assert!(wrong.is_empty(), "{page} in {language}: {wrong:#?}\n{html}");
            let text = stage::visible::text(&html);
            assert!(
                text.contains("alert(1)"),
                "{page} in {language} shows no field:\n{html}"
            );
        }
    }
    // A calendar has its own escapes: one property a line, whatever a field holds.
    let calendar = format!("/i/{id}/event.ics");
    let answer = world.client.get(at, &calendar, "en").await.unwrap();
    assert_eq!(answer.status, 200, "{calendar}");
    assert!(answer.header("content-type").starts_with("text/calendar"));
    let text = answer.text();
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 1, "{text}");
    let unfolded = text.replace("\r\n ", "");
    for line in unfolded.trim_end().split("\r\n") {
        let name = line.split([':', ';']).next().unwrap();
        let known = name.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        assert!(known && !line.contains('\n'), "{line:?} of {text}");
    }
}

/// No script and no attribute is made of what somebody typed.
fn assert_markup_is_text(html: &str, page: &str) {
    let parsed = parse(html);
    for element in elements(&parsed) {
        let script = element.value().name() == "script";
        let text: String = element.text().collect();
        assert!(!(script && text.contains("alert")), "{page}: {html}");
        for (name, value) in element.value().attrs() {
            assert!(
                !name.contains("alert") && !name.contains('<'),
                "{page}: {name}={value}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_notice_and_in_a_url_is_text() {
    let town = Town::lay_out().await.open().await;
    let (world, at) = (&town.world, town.world.edges[0].public);
    for language in ["ko", "en"] {
        let text = format!("{language}={HOSTILE}");
        let words = ["notice", "site", "--text", &text, "--why", HOSTILE];
        world.order(&words).await.unwrap();
    }
    const TYPED: &str = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22'%26";
    let urls = town.urls();
    let mut pages: Vec<String> = urls.pages.iter().step_by(40).cloned().collect();
    for prefix in ["/", "/i/", "/club/", "/guide/", "/no/such/"] {
        pages.push(format!("{prefix}{TYPED}"));
        pages.push(format!("{prefix}{TYPED}/"));
        pages.push(format!("{prefix}?q={TYPED}&lang={TYPED}"));
    }
    for page in pages {
        for language in ["ko", "en", TYPED] {
            let answer = world.client.get(at, &page, language).await.unwrap();
            let html = answer.text();
            assert!(
                answer.header("content-type").starts_with("text/html"),
                "{page}: {html}"
            );
            assert_markup_is_text(&html, &format!("{page} in {language}"));
            assert!(
                stage::visible::text(&html).contains("alert(1)"),
                "{page} in {language} shows no notice:\n{html}"
            );
        }
    }
}

/// Changes what the page of one row tells; gives the page and the new words.
fn changed<T: Record>(connection: &Connection) -> (String, String) {
    let row = db::any::<T>(connection).unwrap();
    let told = T::FACTS.iter().map(|(name, _)| format!("{name}_en"));
    let column = told
        .into_iter()
        .find(|name| T::COLUMNS.contains(&name.as_str()));
    let column = column.or_else(|| T::FACTS.first().map(|(name, _)| (*name).to_owned()));
    let column = column.unwrap();
    let words = format!("Another word of {}", T::NAME);
    let key = T::COLUMNS[0];
    let update = format!("update {} set {column} = ?1 where {key} = ?2", T::NAME);
    let rows = connection.execute(&update, [&words, row.values()[0]]);
    assert_eq!(rows.unwrap(), 1);
    (row.path(), words)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_row_changes_its_page() {
    let town = Town::lay_out().await.open_edges(1).await;
    let (world, at) = (&town.world, town.world.edges[0].public);
    let connection = db::open(&world.database()).unwrap();
    let changes = [
        changed::<Meeting>(&connection),
        changed::<Guide>(&connection),
        changed::<Talk>(&connection),
        changed::<BankAccount>(&connection),
        changed::<Payment>(&connection),
        changed::<Taxi>(&connection),
        changed::<Place>(&connection),
        changed::<Member>(&connection),
        changed::<SignIn>(&connection),
        changed::<Duty>(&connection),
        changed::<Wishes>(&connection),
    ];
    for (page, words) in &changes {
        let before = world.client.get(at, page, "en").await.unwrap();
        assert!(!stage::visible::shows(&before.text(), words), "{page}");
    }
    town::export(&world.site()).unwrap();
    town.publish().await;
    for (page, words) in &changes {
        eventually(&format!("{words} on its page"), async || {
            let answer = world.client.get(at, page, "en").await.ok()?;
            stage::visible::shows(&answer.text(), words).then_some(())
        })
        .await;
    }
}
