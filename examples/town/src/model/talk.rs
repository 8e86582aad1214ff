//! The messenger: a room, who is in it, and words that can go by text message instead.

use super::{Made, Record, pick, sms, table};
use crate::rng::Rng;
use crate::words::Pair;

table!(
    /// A room of the messenger.
    Talk in "talks" {
        id, room_ko, room_en, first_ko, first_en, first_phone, second_ko, second_en,
        second_phone, last_at, words_ko, words_en, others_ko, others_en,
    }
);

impl Record for Talk {
    const SERVICE: &'static str = "talk";
    const TITLE: Pair = ("다솜톡", "Dasom Talk");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("room", ("방", "Room")),
        ("first", ("첫 번째 사람", "First member")),
        ("first_phone", ("전화", "Number")),
        ("second", ("두 번째 사람", "Second member")),
        ("second_phone", ("전화", "Number")),
        ("last_at", ("마지막 전달", "Last delivered")),
        ("others", ("다른 메신저", "Other messengers")),
    ];
    const ACTION: Pair = ("메시지 보내기", "Send a message");

    fn path(&self) -> String {
        format!("/talk/{}/", self.id)
    }

    fn says(&self, language: &str) -> Vec<String> {
        let words = if language == "ko" {
            &self.words_ko
        } else {
            &self.words_en
        };
        let sent = (
            "마지막으로 보낸 메시지는 전달되지 않았을 수 있습니다.",
            "Your last message may not have been sent.",
        );
        vec![pick(language, sent), words.clone()]
    }

    fn links(&self, language: &str) -> Vec<String> {
        let words = if language == "ko" {
            &self.words_ko
        } else {
            &self.words_en
        };
        vec![
            sms(&self.first_phone, words),
            sms(&self.second_phone, words),
        ]
    }
}

impl Made for Talk {
    fn make(rng: &mut Rng, _: usize) -> Self {
        let (first, second) = (rng.anyone(), rng.anyone());
        let (room, words) = rng.pick(ROOMS).copied().unwrap_or_default();
        let others = rng.pair(OTHERS);
        Self {
            id: rng.id(12),
            room_ko: format!("{} · {}", room.0, first.0),
            room_en: format!("{} · {}", room.1, first.1),
            first_ko: first.0,
            first_en: first.1,
            first_phone: rng.mobile(),
            second_ko: second.0,
            second_en: second.1,
            second_phone: rng.mobile(),
            last_at: format!("15:{:02}", 10 + rng.below(20)),
            words_ko: words.0.into(),
            words_en: words.1.into(),
            others_ko: others.0,
            others_en: others.1,
        }
    }
}

/// Kinds of rooms, each with words that somebody in it may want to send now.
const ROOMS: &[(Pair, Pair)] = &[
    (
        ("우리 가족", "Family"),
        (
            "저는 괜찮아요. 다솜톡이 안 돼서 문자로 보내요.",
            "I am fine. Dasom Talk is down, so this comes as a text message.",
        ),
    ),
    (
        ("동창 모임", "Old classmates"),
        (
            "오늘 모임 그대로 합니다. 톡이 안 되니 문자로 답해 주세요.",
            "We meet today as planned. Talk is down, please answer by text message.",
        ),
    ),
    (
        ("3층 이웃", "Neighbours, 3rd floor"),
        (
            "택배 맡아 두었습니다. 문자 주세요.",
            "I have your parcel. Please text me.",
        ),
    ),
    (
        ("어린이집 학부모", "Nursery parents"),
        (
            "아이 데리러 30분 늦습니다. 전화도 됩니다.",
            "I am 30 minutes late to pick up my child. You can call me, too.",
        ),
    ),
];

/// What else carries words.
const OTHERS: &[Pair] = &[
    (
        "문자 메시지, 줄톡, 이메일",
        "Text messages, Jultalk, e-mail",
    ),
    (
        "문자 메시지, 푸른메신저, 전화",
        "Text messages, Pureun Messenger, the telephone",
    ),
    (
        "문자 메시지, 화상통화 앱, 이메일",
        "Text messages, video calls, e-mail",
    ),
];
