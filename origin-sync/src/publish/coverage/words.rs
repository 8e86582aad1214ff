//! The coverage told: what was asked now, and what is known from before, never as one number.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Coverage;

impl Coverage {
    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Value {
        let (asked, known, answered) = self.totals();
        let routes: Vec<Value> = self
            .routes
            .iter()
            .map(|route| {
                json!({
                    "route": route.route,
                    "service": route.service,
                    "urls": route.urls,
                    "asked": route.asked,
                    "known": route.known,
                    "known_since_ms": route.known_since.map(|since| since.0),
                    "answered": route.answered,
                    "failures": route.failures,
                })
            })
            .collect();
        json!({
            "asked": asked,
            "known": known,
            "known_since_ms": self.known_since().map(|since| since.0),
            "answered": answered,
            "routes": routes,
            "uncovered": self.uncovered,
        })
    }

    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let (asked, known, answered) = self.totals();
        let counted = asked + known;
        let mut text = format!("with the origin dead, {answered} of {counted} URLs answer");
        // Writing to a String cannot fail.
        if let Some(since) = self.known_since() {
            let _ = write!(
                text,
                ": {asked} asked now, {known} unchanged since they answered, the first with the \
                 data of {}",
                since.rfc3339()
            );
        }
        let wide = self.routes.iter().map(|r| r.route.len()).max().unwrap_or(0);
        for route in &self.routes {
            let counted = route.counted();
            let _ = write!(
                text,
                "\n  {:<wide$}  {} of {counted} URLs answer",
                route.route, route.answered
            );
            if route.known > 0 {
                let _ = write!(text, ", {} asked now", route.asked);
            }
            if counted < route.urls {
                let _ = write!(text, " (a sample of {})", route.urls);
            }
            for (why, count) in &route.failures {
                let _ = write!(text, "\n  {:<wide$}    {count}: {why}", "");
            }
        }
        for route in &self.uncovered {
            let _ = write!(
                text,
                "\n  {route:<wide$}  declared, not covered: give it `urls` to have it counted"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use snapshot::Timestamp;

    use super::super::RouteCoverage;
    use super::*;

    fn coverage() -> Coverage {
        let route = |path: &str, asked| RouteCoverage {
            route: path.to_owned(),
            urls: 3,
            asked,
            answered: asked,
            ..RouteCoverage::default()
        };
        Coverage {
            routes: vec![route("/a", 3), route("/longer", 1)],
            uncovered: vec![],
        }
    }

    #[test]
    fn what_is_known_from_before_is_told_apart_from_what_was_asked() {
        let mut coverage = coverage();
        let text = "with the origin dead, 4 of 4 URLs answer\n  \
                    /a       3 of 3 URLs answer\n  \
                    /longer  1 of 1 URLs answer (a sample of 3)";
        assert_eq!(coverage.text(), text);
        assert_eq!(coverage.json()["known_since_ms"], Value::Null);
        coverage.routes[1].answered_before(Timestamp(60_000));
        coverage.routes[1].answered_before(Timestamp(90_000));
        let text = "with the origin dead, 6 of 6 URLs answer: 4 asked now, 2 unchanged since they \
                    answered, the first with the data of 1970-01-01T00:01:00Z\n  \
                    /a       3 of 3 URLs answer\n  \
                    /longer  3 of 3 URLs answer, 1 asked now";
        assert_eq!(coverage.text(), text);
        let told = coverage.json();
        assert_eq!(
            (&told["asked"], &told["known"], &told["answered"]),
            (&4.into(), &2.into(), &6.into())
        );
        assert_eq!(told["known_since_ms"], 60_000);
        assert_eq!(told["routes"][1]["known"], 2);
    }
}
