//! Taxis: whom to call in which neighbourhood.

use super::{Made, Record, pick, table};
use crate::rng::Rng;
use crate::words::{self, Pair};

table!(
    /// A neighbourhood with its call taxis.
    Taxi in "taxis" {
        id, region_ko, region_en, first_ko, first_en, first_phone, second_ko, second_en,
        second_phone, stand_ko, stand_en, apps_ko, apps_en,
    }
);

impl Record for Taxi {
    const SERVICE: &'static str = "taxi";
    const TITLE: Pair = ("다솜택시", "Dasom Taxi");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("region", ("지역", "Neighbourhood")),
        ("first", ("콜택시", "Call taxi")),
        ("first_phone", ("전화", "Number")),
        ("second", ("콜택시", "Call taxi")),
        ("second_phone", ("전화", "Number")),
        ("stand", ("타는 곳", "Stand")),
        ("apps", ("다른 앱", "Other apps")),
    ];
    const ACTION: Pair = ("택시 부르기", "Call a taxi");

    fn path(&self) -> String {
        format!("/taxi/{}/", self.id)
    }

    fn says(&self, language: &str) -> Vec<String> {
        let cancelled = (
            "앱이 부르던 택시는 취소된 것으로 보고",
            "Consider a ride that the app had called cancelled",
        );
        vec![pick(language, cancelled)]
    }
}

impl Made for Taxi {
    fn make(rng: &mut Rng, at: usize) -> Self {
        let (town, quarter) = words::neighbourhood(at);
        let (first, second) = (rng.pair(FIRMS), rng.pair(CALLS));
        let (stand, apps) = (rng.pair(STANDS), rng.pair(APPS));
        Self {
            id: words::slug(at),
            region_ko: format!("{} {}", town.0, quarter.0),
            region_en: format!("{}, {}", quarter.1, town.1),
            first_ko: format!("{} {}", town.0, first.0),
            first_en: format!("{} {}", town.1, first.1),
            first_phone: format!("1577-{}", rng.digits(4)),
            second_ko: format!("{} {}", quarter.0, second.0),
            second_en: format!("{} {}", quarter.1, second.1),
            second_phone: format!("031-{}-{}", rng.digits(3), rng.digits(4)),
            stand_ko: stand.0,
            stand_en: stand.1,
            apps_ko: apps.0,
            apps_en: apps.1,
        }
    }
}

/// Firms that serve a whole town.
const FIRMS: &[Pair] = &[
    ("콜택시", "Call Taxi"),
    ("개인택시조합", "Owner Drivers"),
    ("브랜드콜", "Brand Call"),
];

/// Those of a neighbourhood.
const CALLS: &[Pair] = &[
    ("동네콜", "Local Call"),
    ("심야콜", "Night Call"),
    ("장애인콜", "Accessible Call"),
];

/// Where taxis wait.
const STANDS: &[Pair] = &[
    (
        "주민센터 앞 택시 승강장",
        "The stand before the community centre",
    ),
    (
        "전철역 1번 출구 승강장",
        "The stand at exit 1 of the station",
    ),
    ("시장 북문 건너편", "Across from the market's north gate"),
    ("종합병원 정문", "The main gate of the hospital"),
];

/// Other ways by telephone app.
const APPS: &[Pair] = &[
    ("온누리택시, 길벗택시", "Onnuri Taxi, Gilbeot Taxi"),
    ("길벗택시, 새벽콜", "Gilbeot Taxi, Dawn Call"),
    ("온누리택시, 반반카풀", "Onnuri Taxi, Banban Carpool"),
];
