//! Which page answers which request.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use minijinja::Value;

use super::respond::{self, Answer};
use super::{Origin, pages, records, session};
use crate::model::{Accounts, Invitation, Meeting, Table};

/// Largest form, bytes.
const FORM_BYTES: usize = 16 * 1024;

/// Answers one request; whatever goes wrong inside is a 500 with the reason on standard error.
pub(crate) async fn route(
    origin: Arc<Origin>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let (parts, body) = request.into_parts();
    let form = if parts.method == Method::POST {
        match Limited::new(body, FORM_BYTES).collect().await {
            Ok(body) => fields(&body.to_bytes()),
            Err(_) => {
                return Ok(respond::status(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "form too large",
                ));
            }
        }
    } else {
        Vec::new()
    };
    let answered = tokio::task::spawn_blocking(move || answer(&origin, &parts, &form)).await;
    Ok(answered
        .map_err(anyhow::Error::from)
        .and_then(|answer| answer)
        .unwrap_or_else(|error| {
            eprintln!("origin: {error:#}");
            respond::status(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }))
}

fn answer(
    origin: &Origin,
    request: &http::request::Parts,
    form: &[(String, String)],
) -> Result<Answer> {
    let language = language(&request.headers);
    let path: Vec<&str> = request
        .uri
        .path()
        .trim_start_matches('/')
        .split('/')
        .collect();
    match (&request.method, path.as_slice()) {
        (&Method::POST, ["login"]) => Ok(sign_in(origin, form)),
        (&Method::POST, ["i", id, "guestbook"]) => {
            sign_guest_book(origin, id, &format!("/i/{id}/"), form)
        }
        (&Method::POST, ["i", id, cap, "guestbook"]) => {
            sign_guest_book(origin, id, &format!("/i/{id}/{cap}/"), form)
        }
        (&Method::POST, ["i", id, cap, "gift"]) => {
            Ok(respond::see_other(&format!("/i/{id}/{cap}/"), None))
        }
        (&Method::GET | &Method::HEAD, [_, "health"]) => Ok(respond::status(StatusCode::OK, "ok")),
        (&Method::GET | &Method::HEAD, [""]) => file(&origin.public, "index.html"),
        (&Method::GET | &Method::HEAD, ["assets", name]) => file(&origin.public, name),
        (&Method::GET | &Method::HEAD, ["photos", name]) => file(&origin.data.join("photos"), name),
        (&Method::GET | &Method::HEAD, ["login"]) => {
            login_page(origin, language, request.uri.query())
        }
        (&Method::GET | &Method::HEAD, ["i", id, ""]) => invitation(origin, language, id, None),
        (&Method::GET | &Method::HEAD, ["i", id, cap, ""]) => {
            invitation(origin, language, id, Some(cap))
        }
        (&Method::GET | &Method::HEAD, ["i", id, cap, "gift"]) => gift(origin, language, id, cap),
        (&Method::GET | &Method::HEAD, ["club", id, ""]) => {
            meeting(origin, language, id, &request.headers)
        }
        (method @ (&Method::GET | &Method::HEAD | &Method::POST), _) => {
            let path = request.uri.path();
            Ok(match records::page(origin, language, path)? {
                // What the service would do is not part of the example: the page comes again.
                Some(_) if method == Method::POST => respond::see_other(path, None),
                Some(page) => page,
                None => not_found(),
            })
        }
        _ => Ok(respond::status(
            StatusCode::METHOD_NOT_ALLOWED,
            "method not allowed",
        )),
    }
}

fn not_found() -> Answer {
    respond::status(StatusCode::NOT_FOUND, "not found")
}

fn language(headers: &HeaderMap) -> &'static str {
    let wanted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("ko");
    let (ko, en) = (wanted.find("ko"), wanted.find("en"));
    match (ko, en) {
        (Some(ko), Some(en)) if en < ko => "en",
        (None, Some(_)) => "en",
        _ => "ko",
    }
}

fn file(folder: &Path, name: &str) -> Result<Answer> {
    // One plain name: nothing to climb out with.
    if name.starts_with('.') || name.contains(['/', '\\', '\0', '%']) {
        return Ok(not_found());
    }
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("jpg") => "image/jpeg",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    match fs_err::read(folder.join(name)) {
        Ok(bytes) => Ok(respond::body(kind, bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(not_found()),
        Err(error) => Err(error.into()),
    }
}

fn invitation(origin: &Origin, language: &str, id: &str, cap: Option<&str>) -> Result<Answer> {
    let Some(invitation) = origin.find::<Invitation>("id", id)? else {
        return Ok(not_found());
    };
    if cap.is_some_and(|cap| cap != invitation.cap) {
        return Ok(not_found());
    }
    let guests = {
        let database = origin.database();
        let mut statement = database.prepare_cached(
            "select who, words from guest_book where id = ? order by rowid desc limit 20",
        )?;
        let rows = statement.query_map([id], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()?
    };
    let guests: Vec<Value> = guests
        .into_iter()
        .map(|(who, words)| Value::from_pairs([("who", who), ("words", words)]))
        .collect();
    let photos: Vec<Value> = invitation.photos.split(',').map(Value::from).collect();
    Ok(respond::page(origin.pages.render(
        "invitation.html",
        language,
        vec![
            (
                "row",
                pages::row(Invitation::COLUMNS, &invitation.values(), language),
            ),
            ("photos", photos.into()),
            ("guests", guests.into()),
            ("gift", cap.is_some().into()),
        ],
    )?))
}

fn gift(origin: &Origin, language: &str, id: &str, cap: &str) -> Result<Answer> {
    let Some(accounts) = origin.find::<Accounts>("cap", cap)?.filter(|a| a.id == id) else {
        return Ok(not_found());
    };
    let row = pages::row(Accounts::COLUMNS, &accounts.values(), language);
    Ok(respond::page(origin.pages.render(
        "gift.html",
        language,
        vec![("row", row)],
    )?))
}

fn meeting(origin: &Origin, language: &str, id: &str, headers: &HeaderMap) -> Result<Answer> {
    let Some(who) = origin.sessions.who(headers) else {
        return Ok(respond::see_other(
            &format!("/login?next=/club/{id}/"),
            None,
        ));
    };
    let Some(meeting) = origin.find::<Meeting>("id", id)? else {
        return Ok(not_found());
    };
    let row = pages::row(Meeting::COLUMNS, &meeting.values(), language);
    Ok(respond::page(origin.pages.render(
        "meeting.html",
        language,
        vec![("row", row), ("who", who.into())],
    )?))
}

fn login_page(origin: &Origin, language: &str, query: Option<&str>) -> Result<Answer> {
    let query = fields(query.unwrap_or_default().as_bytes());
    let next = local(value(&query, "next"));
    Ok(respond::page(origin.pages.render(
        "login.html",
        language,
        vec![("next", next.into())],
    )?))
}

fn sign_in(origin: &Origin, form: &[(String, String)]) -> Answer {
    let who = value(form, "who").trim();
    if who.is_empty() {
        return respond::status(StatusCode::UNPROCESSABLE_ENTITY, "a name is needed");
    }
    let id = origin.sessions.open(who);
    let cookie = format!(
        "{}={id}; Path=/; HttpOnly; SameSite=Lax",
        session::COOKIE_NAME
    );
    respond::see_other(&local(value(form, "next")), Some(&cookie))
}

fn sign_guest_book(
    origin: &Origin,
    id: &str,
    back: &str,
    form: &[(String, String)],
) -> Result<Answer> {
    if origin.find::<Invitation>("id", id)?.is_none() {
        return Ok(not_found());
    }
    let clip = |name| {
        value(form, name)
            .trim()
            .chars()
            .take(200)
            .collect::<String>()
    };
    let (who, words) = (clip("who"), clip("words"));
    if who.is_empty() || words.is_empty() {
        return Ok(respond::status(
            StatusCode::UNPROCESSABLE_ENTITY,
            "a name and a wish are needed",
        ));
    }
    origin.database().execute(
        "insert into guest_book values (?, ?, ?)",
        [id, &who, &words],
    )?;
    Ok(respond::see_other(back, None))
}

/// Only a path of this site: a sign-in page must not send people elsewhere.
fn local(next: &str) -> String {
    let plain =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    if plain {
        next.to_owned()
    } else {
        "/".to_owned()
    }
}

fn fields(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).into_owned().collect()
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields
        .iter()
        .find(|(n, _)| n == name)
        .map_or("", |(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_stays_on_the_site() {
        assert_eq!(local("/club/x/"), "/club/x/");
        for bad in [
            "",
            "//evil.example",
            "https://evil.example",
            "/a\r\nb",
            "/\\evil",
        ] {
            assert_eq!(local(bad), "/", "{bad:?}");
        }
    }
}
