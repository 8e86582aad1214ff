//! Navigation: how to get to a place, in words.

use super::{Made, Record, table};
use crate::rng::Rng;
use crate::words::{self, Pair};

table!(
    /// A place, and the way to it.
    Place in "places" {
        id, name_ko, name_en, address_ko, address_en, phone, walk_ko, walk_en, bus_ko,
        bus_en, lat, lon,
    }
);

impl Record for Place {
    const SERVICE: &'static str = "map";
    const TITLE: Pair = ("다솜지도", "Dasom Maps");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("name", ("곳", "Place")),
        ("address", ("주소", "Address")),
        ("phone", ("전화", "Number")),
        ("walk", ("걸어서", "On foot")),
        ("bus", ("버스로", "By bus")),
    ];
    const ACTION: Pair = ("길 안내 시작", "Start navigation");

    fn path(&self) -> String {
        format!("/map/{}/", self.id)
    }

    fn links(&self, _: &str) -> Vec<String> {
        let (lat, lon) = (&self.lat, &self.lon);
        vec![
            format!("geo:{lat},{lon}"),
            format!("https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map=17/{lat}/{lon}"),
        ]
    }
}

impl Made for Place {
    fn make(rng: &mut Rng, at: usize) -> Self {
        let (town, quarter) = words::neighbourhood(at);
        let (kind, exit) = (rng.pair(KINDS), 1 + rng.below(8));
        let (metres, turn) = (50 * (2 + rng.below(12)), rng.pair(TURNS));
        let (mark, line) = (rng.pair(MARKS), 1 + rng.below(99));
        let number = 1 + rng.below(300);
        Self {
            id: format!("{}-{at}", words::slug(at)),
            name_ko: format!("{} {}", quarter.0, kind.0),
            name_en: format!("{} {}", quarter.1, kind.1),
            address_ko: format!("{} {} {number}", town.0, quarter.0),
            address_en: format!("{number} {}, {}", quarter.1, town.1),
            phone: format!("031-{}-{}", rng.digits(3), rng.digits(4)),
            walk_ko: format!(
                "{}역 {exit}번 출구에서 {metres}미터 직진, {}에서 {}으로 돌면 보입니다.",
                quarter.0, mark.0, turn.0
            ),
            walk_en: format!(
                "From exit {exit} of {} station walk {metres} metres, turn {} at {}.",
                quarter.1, turn.1, mark.1
            ),
            bus_ko: format!("{line}번 버스, {} 정류장에서 내립니다.", mark.0),
            bus_en: format!("Bus {line} to the stop at {}.", mark.1),
            lat: format!("37.{}", rng.digits(5)),
            lon: format!("127.{}", rng.digits(5)),
        }
    }
}

/// Places that people must find.
const KINDS: &[Pair] = &[
    ("종합병원", "General Hospital"),
    ("주민센터", "Community Centre"),
    ("파출소", "Police Station"),
    ("약국", "Pharmacy"),
    ("초등학교", "Primary School"),
    ("우체국", "Post Office"),
    ("장례식장", "Funeral Hall"),
    ("예식장", "Wedding Hall"),
];

/// Which way.
const TURNS: &[Pair] = &[("왼쪽", "left"), ("오른쪽", "right")];

/// What cannot be missed.
const MARKS: &[Pair] = &[
    ("붉은 벽돌 교회", "the red brick church"),
    ("시장 북문", "the market's north gate"),
    ("큰 느티나무", "the old zelkova tree"),
    ("소방서", "the fire station"),
    ("육교", "the footbridge"),
    ("주유소", "the petrol station"),
];
