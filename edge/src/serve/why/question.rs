//! What is asked: a URL as a person would open it.

use std::fmt;

use http::header::{ACCEPT_LANGUAGE, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request};
use serde::{Deserialize, Serialize};
use url::Url;

/// A request that nobody made.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The URL, as a browser would be given it.
    pub url: String,
    /// The method; `GET` if it is not said.
    #[serde(default)]
    pub method: Option<String>,
    /// `Accept-Language`.
    #[serde(default)]
    pub language: Option<String>,
}

impl Question {
    /// The head of the request.
    ///
    /// # Errors
    /// In words that do not repeat the URL, why it is none.
    pub fn head(&self) -> Result<Parts, String> {
        let url = self.url.trim();
        let url = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{}", url.trim_start_matches('/'))
        };
        let expected = "expected one as in https://town.example/i/ID/";
        let url = Url::parse(&url).map_err(|error| format!("not a URL: {error}; {expected}"))?;
        let host = url
            .host_str()
            .filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.ok_or_else(|| format!("not a web page's URL; {expected}"))?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let mut target = url.path().to_owned();
        if let Some(query) = url.query() {
            target = format!("{target}?{query}");
        }
        let method = self.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes());
        let method = method.map_err(|_| "not a method: expected one as in GET".to_owned())?;
        let request = Request::builder().method(method).uri(target);
        let request = request
            .body(())
            .map_err(|error| format!("not a request: {error}"))?;
        let mut head = request.into_parts().0;
        let field = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
        head.headers.insert(HOST, field(&authority)?);
        if let Some(language) = &self.language {
            head.headers.insert(ACCEPT_LANGUAGE, field(language)?);
        }
        Ok(head)
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str) -> Result<(String, String), String> {
        let question = Question {
            url: url.to_owned(),
            method: None,
            language: None,
        };
        let head = question.head()?;
        let host = head.headers.get(HOST).unwrap().to_str().unwrap();
        Ok((host.to_owned(), head.uri.to_string()))
    }

    #[test]
    fn a_url_becomes_the_request_that_a_browser_would_make() {
        for (url, host, target) in [
            (
                "https://town.example/i/a/?x=1#gift",
                "town.example",
                "/i/a/?x=1",
            ),
            (" http://town.example:8080 \n", "town.example:8080", "/"),
            ("town.example/i/a", "town.example", "/i/a"),
            ("//town.example/", "town.example", "/"),
            ("https://town.example/가", "town.example", "/%EA%B0%80"),
            ("http://[::1]:80/a", "[::1]", "/a"),
        ] {
            assert_eq!(
                asked(url),
                Ok((host.to_owned(), target.to_owned())),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_not_repeated() {
        for url in [
            "",
            "ftp://town.example/s3cret",
            "http://s3cret:x/",
            "http://a b/s3cret",
        ] {
            let said = asked(url).unwrap_err();
            assert!(!said.contains("s3cret"), "{said}");
            assert!(said.contains("expected"), "{said}");
        }
    }

    #[test]
    fn a_question_is_not_printed() {
        let question = Question {
            url: "https://town.example/s3cret".to_owned(),
            method: None,
            language: None,
        };
        assert!(!format!("{question:?}").contains("s3cret"));
    }
}
