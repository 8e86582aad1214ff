//! Every fixed word that the edge itself says to a reader, in Korean and in English.

use super::emergency::Kind;
use super::moment::{Civil, UtcOffset};

/// The languages that the edge itself speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Korean,
    English,
}

/// The words of one kind of emergency page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    /// The heading.
    pub(super) title: &'static str,
    /// What happened to the request, and what to do.
    pub(super) detail: &'static str,
}

impl Tongue {
    /// Korean for Korean readers, English for everyone else.
    pub(super) fn of(language: &str) -> Self {
        match language.split('-').next() {
            Some(primary) if primary.eq_ignore_ascii_case("ko") => Self::Korean,
            _ => Self::English,
        }
    }

    /// For `lang` attributes.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    const fn pick(self, korean: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Korean => korean,
            Self::English => english,
        }
    }

    pub(super) const fn some_are_down(self) -> &'static str {
        self.pick("일부 서비스가 멈춰 있습니다", "Some services are down")
    }

    pub(super) const fn nothing_is_down(self) -> &'static str {
        self.pick("모든 서비스가 정상입니다", "All services are working")
    }

    pub(super) const fn back_again(self) -> &'static str {
        self.pick("서비스가 다시 됩니다", "Services are back")
    }

    pub(super) const fn saved_copy(self) -> &'static str {
        self.pick(
            "저장된 사본을 보고 계십니다",
            "You are reading a saved copy",
        )
    }

    pub(super) const fn notice(self) -> &'static str {
        self.pick("알림", "Notice")
    }

    pub(super) const fn older_notices(self) -> &'static str {
        self.pick("이전 알림 보기", "Earlier notices")
    }

    pub(super) const fn what_is_down(self) -> &'static str {
        self.pick("멈춘 서비스", "What is down")
    }

    pub(super) const fn see_notices(self) -> &'static str {
        self.pick("장애 안내 페이지 보기", "See what is down and what to use")
    }

    pub(super) const fn back_home(self) -> &'static str {
        self.pick("첫 화면으로", "Go to the first page")
    }

    /// "as of 14:05", with its day: a page does not know when it will be read.
    pub(super) fn as_of(self, at: Civil, zone: &UtcOffset) -> String {
        let Civil { hour, minute, .. } = at;
        let (day, name) = (self.day(at), &zone.name);
        match self {
            Self::Korean => {
                format!("이 페이지는 {day} {hour:02}:{minute:02}({name}) 기준의 사본입니다.")
            }
            Self::English => {
                format!("This page is a copy as of {hour:02}:{minute:02} {name}, {day}.")
            }
        }
    }

    /// The same, where the data is older than the page promises.
    pub(super) fn stale_as_of(self, at: Civil, zone: &UtcOffset) -> String {
        let Civil { hour, minute, .. } = at;
        let (day, name) = (self.day(at), &zone.name);
        match self {
            Self::Korean => format!(
                "이 페이지는 {day} {hour:02}:{minute:02}({name}) 기준의 사본입니다. 그 뒤에 바뀐 내용은 보이지 않습니다."
            ),
            Self::English => format!(
                "This page is a copy as of {hour:02}:{minute:02} {name}, {day}. What changed after that is not shown."
            ),
        }
    }

    /// How old the copy is that could not help, on an emergency page.
    pub(super) fn copy_from(self, at: Civil, zone: &UtcOffset) -> String {
        let Civil { hour, minute, .. } = at;
        let (day, name) = (self.day(at), &zone.name);
        match self {
            Self::Korean => format!("우리가 가진 사본: {day} {hour:02}:{minute:02}({name}) 기준"),
            Self::English => format!("Our copy is as of {hour:02}:{minute:02} {name}, {day}."),
        }
    }

    /// Since when a service is down.
    pub(super) fn since(self, at: Civil, zone: &UtcOffset) -> String {
        let Civil { hour, minute, .. } = at;
        let (day, name) = (self.day(at), &zone.name);
        match self {
            Self::Korean => format!("{day} {hour:02}:{minute:02}({name})부터"),
            Self::English => format!("since {hour:02}:{minute:02} {name}, {day}"),
        }
    }

    /// What stands before a reader's reference.
    pub(super) const fn reference(self) -> &'static str {
        self.pick(
            "문의하실 때 이 번호를 알려 주세요:",
            "If you ask us about this, tell us:",
        )
    }

    /// When something was, with its zone.
    pub(super) fn written_in(self, at: Civil, zone: &UtcOffset) -> String {
        let Civil { hour, minute, .. } = at;
        let (day, name) = (self.day(at), &zone.name);
        match self {
            Self::Korean => format!("{day} {hour:02}:{minute:02}({name})"),
            Self::English => format!("{hour:02}:{minute:02} {name}, {day}"),
        }
    }

    /// Since when a service is back.
    pub(super) fn back_since(self, at: Civil, zone: &UtcOffset) -> String {
        let since = self.since(at, zone);
        match self {
            Self::Korean => format!("{since} 다시 됩니다"),
            Self::English => format!("back {since}"),
        }
    }

    /// When a notice was written.
    pub(super) fn written(self, at: Civil) -> String {
        let Civil { hour, minute, .. } = at;
        let day = self.day(at);
        match self {
            Self::Korean => format!("{day} {hour:02}:{minute:02}"),
            Self::English => format!("{hour:02}:{minute:02}, {day}"),
        }
    }

    fn day(self, at: Civil) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let Civil { month, day, .. } = at;
        match self {
            Self::Korean => format!("{month}월 {day}일"),
            Self::English => {
                let name = MONTHS
                    .get(usize::from(month).saturating_sub(1))
                    .unwrap_or(&"");
                format!("{day} {name}")
            }
        }
    }

    /// The words of an emergency page.
    pub(super) const fn emergency(self, kind: Kind) -> Notice {
        let (korean, english) = match kind {
            Kind::Unavailable => (
                Notice {
                    title: "지금은 이 페이지를 보여 드릴 수 없습니다",
                    detail: "서버에 연결되지 않고, 저장된 사본도 없습니다. 잠시 뒤에 다시 열어 주세요.",
                },
                Notice {
                    title: "This page cannot be shown right now",
                    detail: "The servers cannot be reached and there is no saved copy of this page. Please try again in a little while.",
                },
            ),
            Kind::NotInOurCopy => (
                Notice {
                    title: "저장된 사본에 없는 페이지입니다",
                    detail: "페이지가 없어졌다는 뜻이 아닙니다. 사본을 만든 뒤에 생겼을 수 있습니다. 복구된 뒤에 다시 열어 주세요.",
                },
                Notice {
                    title: "This page is not in our copy",
                    detail: "That does not mean it is gone: it may be newer than the copy. Please try again once service is back.",
                },
            ),
            Kind::NotFound => (
                Notice {
                    title: "페이지를 찾을 수 없습니다",
                    detail: "주소가 바뀌었거나 잘못 입력되었을 수 있습니다. 주소를 다시 확인해 주세요.",
                },
                Notice {
                    title: "There is no such page",
                    detail: "The address may have changed or been mistyped. Please check it.",
                },
            ),
            Kind::WriteRefused => (
                Notice {
                    title: "저장되지 않았습니다",
                    detail: "지금은 새로운 내용을 받을 수 없어 아무것도 저장하지 않았습니다. 쓰신 내용을 다른 곳에 옮겨 두고, 복구된 뒤에 다시 보내 주세요.",
                },
                Notice {
                    title: "Nothing was saved",
                    detail: "New entries cannot be accepted right now, so nothing was saved. Please keep a copy of what you wrote and send it again once service is back.",
                },
            ),
            Kind::WriteUnknown => (
                Notice {
                    title: "보내신 내용이 도착했는지 알 수 없습니다",
                    detail: "보내는 도중에 연결이 끊겼습니다. 다시 보내기 전에, 이미 처리되었는지 먼저 확인해 주세요. 그대로 다시 보내면 두 번 처리될 수 있습니다.",
                },
                Notice {
                    title: "We cannot tell whether it arrived",
                    detail: "The connection broke while your entry was on its way. Before you send it again, check whether it was already received: sending it again may do it twice.",
                },
            ),
            Kind::ComponentFailed => (
                Notice {
                    title: "이 페이지를 만들지 못했습니다",
                    detail: "이 페이지에 문제가 생겼습니다. 다른 페이지는 열릴 수 있습니다.",
                },
                Notice {
                    title: "This page could not be made",
                    detail: "Something went wrong with this page. Other pages may still open.",
                },
            ),
            Kind::BadGateway => (
                Notice {
                    title: "서버가 올바르게 답하지 않았습니다",
                    detail: "잠시 뒤에 다시 열어 주세요.",
                },
                Notice {
                    title: "The servers did not answer properly",
                    detail: "Please try again in a little while.",
                },
            ),
            Kind::GatewayTimeout => (
                Notice {
                    title: "서버가 제때 답하지 않았습니다",
                    detail: "잠시 뒤에 다시 열어 주세요.",
                },
                Notice {
                    title: "The servers did not answer in time",
                    detail: "Please try again in a little while.",
                },
            ),
            Kind::TooOld => (
                Notice {
                    title: "저장된 내용이 너무 오래되었습니다",
                    detail: "이 페이지의 내용은 그사이 바뀌었을 수 있어, 오래된 사본을 보여 드리지 않습니다. 급하시면 아래 안내를 따라 주세요.",
                },
                Notice {
                    title: "Our copy of this page is too old",
                    detail: "What it says may have changed since, so the old copy is not shown. If it is urgent, please follow the advice below.",
                },
            ),
            Kind::Overloaded => (
                Notice {
                    title: "지금 접속이 많습니다",
                    detail: "잠시 뒤에 다시 열어 주세요.",
                },
                Notice {
                    title: "Too many people are here at once",
                    detail: "Please try again in a little while.",
                },
            ),
            Kind::Misdirected => (
                Notice {
                    title: "여기에 없는 사이트입니다",
                    detail: "주소의 도메인을 다시 확인해 주세요.",
                },
                Notice {
                    title: "That site is not served here",
                    detail: "Please check the domain in the address.",
                },
            ),
            Kind::BadRequest => (
                Notice {
                    title: "요청을 이해할 수 없습니다",
                    detail: "주소를 다시 확인해 주세요.",
                },
                Notice {
                    title: "The request could not be understood",
                    detail: "Please check the address.",
                },
            ),
            Kind::MethodNotAllowed => (
                Notice {
                    title: "이 페이지에서는 할 수 없는 요청입니다",
                    detail: "이 페이지는 읽을 수만 있습니다. 아무것도 저장되지 않았습니다.",
                },
                Notice {
                    title: "This page does not take that request",
                    detail: "It can only be read. Nothing was saved.",
                },
            ),
            Kind::ContentTooLarge => (
                Notice {
                    title: "보내신 내용이 너무 큽니다",
                    detail: "아무것도 저장되지 않았습니다. 크기를 줄여 다시 보내 주세요.",
                },
                Notice {
                    title: "What you sent is too large",
                    detail: "Nothing was saved. Please make it smaller and send it again.",
                },
            ),
            Kind::UriTooLong => (
                Notice {
                    title: "주소가 너무 깁니다",
                    detail: "주소를 다시 확인해 주세요.",
                },
                Notice {
                    title: "The address is too long",
                    detail: "Please check the address.",
                },
            ),
            Kind::HeadersTooLarge => (
                Notice {
                    title: "요청의 머리말이 너무 큽니다",
                    detail: "이 사이트의 쿠키를 지우고 다시 열어 주세요.",
                },
                Notice {
                    title: "The request's header fields are too large",
                    detail: "Please delete this site's cookies and try again.",
                },
            ),
        };
        match self {
            Self::Korean => korean,
            Self::English => english,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapshot::Timestamp;

    #[test]
    fn only_korean_readers_get_korean() {
        assert_eq!(Tongue::of("ko"), Tongue::Korean);
        assert_eq!(Tongue::of("ko-KR"), Tongue::Korean);
        for other in ["en", "ja", "", "kok"] {
            assert_eq!(Tongue::of(other), Tongue::English, "{other}");
        }
    }

    #[test]
    fn moments_name_their_day_and_zone() {
        let zone = UtcOffset::default();
        let at = zone.civil(Timestamp::from_secs(1_795_323_900));
        assert_eq!(
            Tongue::Korean.as_of(at, &zone),
            "이 페이지는 11월 22일 14:05(KST) 기준의 사본입니다."
        );
        assert_eq!(
            Tongue::English.as_of(at, &zone),
            "This page is a copy as of 14:05 KST, 22 Nov."
        );
        assert_eq!(Tongue::English.since(at, &zone), "since 14:05 KST, 22 Nov");
        assert_eq!(Tongue::Korean.since(at, &zone), "11월 22일 14:05(KST)부터");
        let back = Tongue::English.back_since(at, &zone);
        assert_eq!(back, "back since 14:05 KST, 22 Nov");
        let back = Tongue::Korean.back_since(at, &zone);
        assert_eq!(back, "11월 22일 14:05(KST)부터 다시 됩니다");
    }

    #[test]
    fn every_kind_has_words_in_both_languages() {
        for kind in Kind::ALL {
            let (korean, english) = (
                Tongue::Korean.emergency(kind),
                Tongue::English.emergency(kind),
            );
            for words in [korean.title, korean.detail] {
                assert!(words.contains(|c| ('가'..='힣').contains(&c)), "{kind:?}");
            }
            for words in [english.title, english.detail] {
                assert!(words.is_ascii() && !words.is_empty(), "{kind:?}");
            }
        }
    }
}
