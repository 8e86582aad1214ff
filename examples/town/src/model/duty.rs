//! Work: who is on duty this weekend, and what replaces the dead work chat.

use super::{Made, Record, pick, sms, table};
use crate::rng::Rng;
use crate::words::Pair;

table!(
    /// A team's duty sheet, under the capability of the colleague who holds it.
    Duty in "duties" {
        cap, id, team_ko, team_en, shift_ko, shift_en, first_ko, first_en, first_phone,
        second_ko, second_en, second_phone, bridge_phone, bridge_code, instead_ko,
        instead_en,
    }
);

impl Record for Duty {
    const SERVICE: &'static str = "work";
    const TITLE: Pair = ("다솜워크", "Dasom Work");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("team", ("팀", "Team")),
        ("shift", ("근무", "Shift")),
        ("first", ("당직", "On duty")),
        ("first_phone", ("전화", "Number")),
        ("second", ("예비", "Stand-by")),
        ("second_phone", ("전화", "Number")),
        ("bridge_phone", ("전화 회의", "Telephone conference")),
        ("bridge_code", ("참가 번호", "Code")),
        ("instead", ("채팅 대신", "Instead of chat")),
    ];
    const ACTION: Pair = ("당직 채팅방 열기", "Open the duty chat");

    fn path(&self) -> String {
        format!("/work/{}/{}/", self.id, self.cap)
    }

    fn links(&self, language: &str) -> Vec<String> {
        let words = ("당직 연락 바랍니다: ", "Please call me about the duty: ");
        vec![sms(&self.first_phone, &pick(language, words))]
    }
}

impl Made for Duty {
    fn make(rng: &mut Rng, _: usize) -> Self {
        let (first, second) = (rng.anyone(), rng.anyone());
        let (team, shift, instead) = (rng.pair(TEAMS), rng.pair(SHIFTS), rng.pair(INSTEAD));
        Self {
            cap: rng.id(26),
            id: rng.id(12),
            team_ko: team.0,
            team_en: team.1,
            shift_ko: shift.0,
            shift_en: shift.1,
            first_ko: first.0,
            first_en: first.1,
            first_phone: rng.mobile(),
            second_ko: second.0,
            second_en: second.1,
            second_phone: rng.mobile(),
            bridge_phone: format!("02-{}-{}", rng.digits(4), rng.digits(4)),
            bridge_code: rng.digits(6),
            instead_ko: instead.0,
            instead_en: instead.1,
        }
    }
}

/// Teams.
const TEAMS: &[Pair] = &[
    ("결제 운영팀", "Payments operations"),
    ("고객 상담팀", "Customer care"),
    ("물류 관제팀", "Logistics control"),
    ("시설 관리팀", "Facilities"),
    ("네트워크팀", "Network"),
];

/// Shifts.
const SHIFTS: &[Pair] = &[
    (
        "토요일 08:00부터 일요일 08:00까지",
        "Saturday 08:00 to Sunday 08:00",
    ),
    (
        "일요일 08:00부터 월요일 08:00까지",
        "Sunday 08:00 to Monday 08:00",
    ),
];

/// What replaces the chat.
const INSTEAD: &[Pair] = &[
    (
        "매시 정각에 전화 회의로 모이고, 결정은 문자로 남깁니다.",
        "Meet by telephone conference on the hour; decisions go by text message.",
    ),
    (
        "당직 휴대전화로 보고하고, 서류는 공유 드라이브 대신 팩스로 보냅니다.",
        "Report to the duty telephone; papers go by fax instead of the shared drive.",
    ),
];
