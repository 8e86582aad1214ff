//! Hiking clubs and their meetings.

use super::{Made, Record, table};
use crate::rng::Rng;
use crate::words::{self, Pair};

table!(
    /// A club's meeting.
    Meeting in "meetings" {
        id, club_ko, club_en, title_ko, title_en, date, time, point_ko, point_en, course_ko,
        course_en, bring_ko, bring_en, fee_won, organiser_ko, organiser_en, organiser_phone,
    }
);

impl Record for Meeting {
    const SERVICE: &'static str = "club";
    const TITLE: Pair = ("모임", "Club meeting");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("club", ("모임", "Club")),
        ("title", ("산행", "Hike")),
        ("point", ("만나는 곳", "Meet")),
        ("course", ("코스", "Course")),
        ("bring", ("준비물", "Bring")),
        ("fee_won", ("회비", "Fee")),
        ("organiser", ("총무", "Organiser")),
        ("organiser_phone", ("총무 전화", "Organiser's number")),
    ];
    const ACTION: Pair = ("참석 댓글 쓰기", "Reply that you come");

    fn path(&self) -> String {
        format!("/club/{}/", self.id)
    }
}

impl Made for Meeting {
    fn make(rng: &mut Rng, _: usize) -> Self {
        let club = rng.pair(CLUBS);
        let (mountain, course) = rng.pick(COURSES).copied().unwrap_or_default();
        let (point, bring) = (rng.pair(POINTS), rng.pair(BRING));
        let family = rng.pair(words::FAMILY);
        let organiser = rng.person(&family, words::PARENTS);
        Self {
            id: rng.id(12),
            club_ko: club.0,
            club_en: club.1,
            title_ko: format!("{} 정기 산행", mountain.0),
            title_en: format!("{} hike", mountain.1),
            date: rng.day(11..=12),
            time: format!(
                "0{}:{}",
                6 + rng.below(4),
                rng.pick(&["00", "30"]).copied().unwrap_or("00")
            ),
            point_ko: point.0,
            point_en: point.1,
            course_ko: course.0.into(),
            course_en: course.1.into(),
            bring_ko: bring.0,
            bring_en: bring.1,
            fee_won: format!("{}000", 5 + rng.below(4) * 5),
            organiser_ko: organiser.0,
            organiser_en: organiser.1,
            organiser_phone: rng.mobile(),
        }
    }
}

/// Hiking clubs.
const CLUBS: &[Pair] = &[
    ("새벽산악회", "Dawn Hikers"),
    ("두발로산악회", "On Two Feet"),
    ("느린걸음모임", "Slow Walkers"),
    ("주말능선회", "Weekend Ridge Club"),
    ("초록배낭", "Green Rucksacks"),
    ("한걸음더", "One Step More"),
];

/// Mountains and courses.
const COURSES: &[(Pair, Pair)] = &[
    (
        ("솔마루산", "Mt Solmaru"),
        (
            "솔마루산 입구 → 약수터 → 정상 → 계곡길 (7 km, 4시간)",
            "Gate, spring, summit, back by the valley (7 km, 4 h)",
        ),
    ),
    (
        ("큰고개", "Keungogae"),
        (
            "큰고개 주차장 → 능선 → 전망대 → 절터 (9 km, 5시간)",
            "Car park, ridge, lookout, temple site (9 km, 5 h)",
        ),
    ),
    (
        ("달빛봉", "Dalbit Peak"),
        (
            "북문 → 바위길 → 달빛봉 → 남문 (6 km, 3시간 반)",
            "North gate, rock path, peak, south gate (6 km, 3.5 h)",
        ),
    ),
    (
        ("호수둘레길", "Lake Circuit"),
        (
            "선착장에서 출발해 한 바퀴 (11 km, 4시간, 평지)",
            "Once around from the pier (11 km, 4 h, flat)",
        ),
    ),
];

/// Meeting points.
const POINTS: &[Pair] = &[
    (
        "솔숲역 2번 출구 앞 벤치",
        "The benches at exit 2 of Solsup station",
    ),
    (
        "새미역 광장 시계탑 아래",
        "Under the clock on Saemi station square",
    ),
    (
        "큰고개 제1주차장 매표소 옆",
        "Beside the ticket office of Keungogae car park 1",
    ),
    (
        "한들역 1번 출구 편의점 앞",
        "In front of the shop at exit 1 of Handeul station",
    ),
    (
        "호수공원 선착장 안내판 앞",
        "By the notice board of the lake park pier",
    ),
];

/// What to bring.
const BRING: &[Pair] = &[
    (
        "물 1리터, 장갑, 따뜻한 겉옷",
        "A litre of water, gloves, a warm layer",
    ),
    ("점심 도시락, 아이젠", "Lunch, crampons"),
    (
        "무릎 보호대, 간식, 헤드랜턴",
        "Knee supports, snacks, a head torch",
    ),
];
