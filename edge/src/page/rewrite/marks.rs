//! The page's own mark-up by service, and whether a page has any.

use crate::page::state::PageState;

/// Removed while one of the named services is down.
pub(super) const NEEDS: &str = "data-needs";
/// Removed while none of the named services is down.
pub(super) const WITHOUT: &str = "data-without";
/// A button that the script shows and works.
pub(super) const COPY: &str = "data-copy";

/// Most names of one attribute that are looked at.
pub(super) const NAMES: usize = 32;

/// The services that are down, to ask about names of attributes.
#[derive(Clone, Debug)]
pub(super) struct Down(Vec<String>);

impl Down {
    pub(super) fn of(state: &PageState) -> Self {
        Self(state.degraded().map(|s| s.name.to_string()).collect())
    }

    /// Whether an element with these attributes is removed.
    pub(super) fn removes(&self, needs: Option<&str>, without: Option<&str>) -> bool {
        needs.is_some_and(|names| self.any(names)) || without.is_some_and(|names| !self.any(names))
    }

    fn any(&self, names: &str) -> bool {
        names
            .split_ascii_whitespace()
            .take(NAMES)
            .any(|name| self.0.iter().any(|down| down == name))
    }
}

/// True when `page` may hold mark-up that is acted on: a cheap look for the attributes' names.
#[must_use]
pub fn has_marks(page: &[u8]) -> bool {
    [NEEDS, WITHOUT, COPY]
        .iter()
        .any(|name| contains(page, name.as_bytes()))
}

/// True when `page` may hold parts that depend on a service, so that caches must let go of it
/// within seconds: a cheap look for the attributes' names.
#[must_use]
pub fn depends_on_services(page: &[u8]) -> bool {
    [NEEDS, WITHOUT]
        .iter()
        .any(|name| contains(page, name.as_bytes()))
}

/// Whether `name` (lower case, starting with `data-`) stands in `page` in any case.
fn contains(page: &[u8], name: &[u8]) -> bool {
    // The hyphen is rare in pages and has no case: look for it, then around it.
    let Some(before) = name.iter().position(|b| *b == b'-') else {
        return false;
    };
    page.iter().enumerate().any(|(at, byte)| {
        *byte == b'-'
            && at
                .checked_sub(before)
                .and_then(|start| page.get(start..start + name.len()))
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::state::samples::{calm, outage};

    #[test]
    fn any_name_counts_in_both_directions() {
        let calm = Down::of(&calm("ko"));
        let pay = Down::of(&outage("ko"));
        for (needs, without, in_calm, in_outage) in [
            (Some("pay"), None, false, true),
            (Some("club"), None, false, false),
            (Some("club\n pay"), None, false, true),
            (Some(""), None, false, false),
            (Some("unknown"), None, false, false),
            (None, Some("pay"), true, false),
            (None, Some("club pay"), true, false),
            (None, Some("club"), true, true),
            (None, Some(""), true, true),
            (Some("pay"), Some("pay"), true, true),
            (None, None, false, false),
            (Some("Pay"), None, false, false),
        ] {
            assert_eq!(
                calm.removes(needs, without),
                in_calm,
                "{needs:?} {without:?}"
            );
            assert_eq!(
                pay.removes(needs, without),
                in_outage,
                "{needs:?} {without:?}"
            );
        }
        let many = format!("{} pay", "x ".repeat(NAMES));
        assert!(!pay.removes(Some(&many), None));
    }

    #[test]
    fn marks_are_found_in_any_case_and_place() {
        for page in [
            "<a data-needs=x>",
            "DATA-WITHOUT",
            "x data-copy",
            "-data-needs",
        ] {
            assert!(has_marks(page.as_bytes()), "{page}");
        }
        for page in [
            "",
            "-",
            "data-need",
            "ata-needs",
            "data--needs",
            "needs-data",
        ] {
            assert!(!has_marks(page.as_bytes()), "{page}");
        }
        assert!(depends_on_services(b"<p data-needs=pay>"));
        assert!(!depends_on_services(b"<p data-copy=1>"));
    }
}
