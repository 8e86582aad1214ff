//! The guest who cannot come: what to write to which family, and when and where it is.

use super::{Invitation, Record, sms, table};
use crate::rng::Rng;
use crate::words::Pair;

table!(
    /// The wishes to one couple.
    Wishes in "wishes" {
        id, couple_ko, couple_en, date, time, venue_ko, venue_en, directions_ko, directions_en,
        groom_side_ko, groom_side_en, groom_phone, bride_side_ko, bride_side_en, bride_phone,
        words_ko, words_en,
    }
);

impl Record for Wishes {
    const SERVICE: &'static str = "invite";
    const TITLE: Pair = ("축하 인사", "Your wishes");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("couple", ("두 사람", "The couple")),
        ("venue", ("장소", "Venue")),
        ("directions", ("오시는 길", "How to get there")),
        ("groom_side", ("신랑 가족", "The groom's family")),
        ("groom_phone", ("전화", "Number")),
        ("bride_side", ("신부 가족", "The bride's family")),
        ("bride_phone", ("전화", "Number")),
        ("words", ("인사말", "Words")),
    ];
    const ACTION: Pair = ("방명록에 남기기", "Sign the guest book");

    fn path(&self) -> String {
        format!("/i/{}/wishes", self.id)
    }

    fn says(&self, _: &str) -> Vec<String> {
        vec![self.date.chars().take(4).collect()]
    }

    fn links(&self, language: &str) -> Vec<String> {
        let words = if language == "ko" {
            &self.words_ko
        } else {
            &self.words_en
        };
        vec![
            sms(&self.groom_phone, words),
            sms(&self.bride_phone, words),
            "event.ics".to_owned(),
        ]
    }
}

impl Wishes {
    /// Those for the couple of `invitation`.
    pub(crate) fn of(invitation: &Invitation, rng: &mut Rng) -> Self {
        let words = rng.pair(WORDS);
        Self {
            id: invitation.id.clone(),
            couple_ko: format!("{} ♥ {}", invitation.groom_ko, invitation.bride_ko),
            couple_en: format!("{} ♥ {}", invitation.groom_en, invitation.bride_en),
            date: invitation.date.clone(),
            time: invitation.time.clone(),
            venue_ko: format!("{} {}", invitation.venue_ko, invitation.hall_ko),
            venue_en: format!("{}, {}", invitation.venue_en, invitation.hall_en),
            directions_ko: invitation.directions_ko.clone(),
            directions_en: invitation.directions_en.clone(),
            groom_side_ko: invitation.groom_parents_ko.clone(),
            groom_side_en: invitation.groom_parents_en.clone(),
            groom_phone: invitation.family_phone.clone(),
            bride_side_ko: invitation.bride_parents_ko.clone(),
            bride_side_en: invitation.bride_parents_en.clone(),
            bride_phone: rng.mobile(),
            words_ko: words.0,
            words_en: words.1,
        }
    }
}

/// Words that guests send.
const WORDS: &[Pair] = &[
    (
        "결혼을 진심으로 축하드립니다. 가지 못해 죄송하고, 두 분의 앞날을 응원합니다.",
        "Warmest wishes on your wedding. I am sorry not to be there and wish you both every happiness.",
    ),
    (
        "축하드려요! 길이 막혀 함께하지 못하지만 마음은 그곳에 있습니다.",
        "Congratulations! I cannot get there, but my heart is with you.",
    ),
    (
        "새 가족이 되신 것을 축하합니다. 곧 찾아뵙겠습니다.",
        "Congratulations to the new family. I shall visit you soon.",
    ),
];
