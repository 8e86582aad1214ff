//! A wedding: its invitation and, under the same capability, the accounts its gifts go to.

use crate::model::{Accounts, Invitation};
use crate::rng::Rng;
use crate::words::{self, Pair};

/// One at random, with some of `photos`.
pub(crate) fn wedding(rng: &mut Rng, photos: &[String]) -> (Invitation, Accounts) {
    let (groom_family, bride_family) = (rng.pair(words::FAMILY), rng.pair(words::FAMILY));
    let groom = rng.person(&groom_family, GROOMS);
    let bride = rng.person(&bride_family, BRIDES);
    let parents: Vec<_> = [&groom_family, &bride_family]
        .into_iter()
        .map(|family| {
            let mother = rng.pair(words::FAMILY);
            (
                rng.person(family, words::PARENTS),
                rng.person(&mother, words::PARENTS),
            )
        })
        .collect();
    let couple = |at: usize, ko: bool| {
        parents
            .get(at)
            .map_or_else(String::new, |(father, mother)| {
                if ko {
                    format!("{} · {}", father.0, mother.0)
                } else {
                    format!("{} and {}", father.1, mother.1)
                }
            })
    };
    let (venue, hall, address, directions) = rng.pick(VENUES).copied().unwrap_or_default();
    let message = rng.pair(MESSAGES);
    let chosen: Vec<&str> = (0..3)
        .filter_map(|_| rng.pick(photos).map(String::as_str))
        .collect();
    let (id, cap) = (rng.id(12), rng.id(26));
    let invitation = Invitation {
        id: id.clone(),
        cap: cap.clone(),
        groom_ko: groom.0.clone(),
        groom_en: groom.1.clone(),
        bride_ko: bride.0.clone(),
        bride_en: bride.1.clone(),
        groom_parents_ko: couple(0, true),
        groom_parents_en: couple(0, false),
        bride_parents_ko: couple(1, true),
        bride_parents_en: couple(1, false),
        date: rng.day(11..=12),
        time: format!(
            "{}:{}",
            11 + rng.below(6),
            rng.pick(&["00", "20", "30", "40"]).copied().unwrap_or("00")
        ),
        venue_ko: venue.0.into(),
        venue_en: venue.1.into(),
        hall_ko: hall.0.into(),
        hall_en: hall.1.into(),
        address_ko: address.0.into(),
        address_en: address.1.into(),
        phone: format!("02-{}-{}", rng.digits(4), rng.digits(4)),
        directions_ko: directions.0.into(),
        directions_en: directions.1.into(),
        message_ko: message.0,
        message_en: message.1,
        photos: chosen.join(","),
        family_phone: rng.mobile(),
    };
    let father = |at: usize| {
        parents
            .get(at)
            .map(|(father, _)| father.clone())
            .unwrap_or_default()
    };
    let mut account = || {
        let bank = rng.pair(words::BANKS);
        (
            bank,
            format!("{}-{}-{}", rng.digits(3), rng.digits(3), rng.digits(6)),
        )
    };
    let ((b1, n1), (b2, n2), (b3, n3), (b4, n4)) = (account(), account(), account(), account());
    let (groom_father, bride_father) = (father(0), father(1));
    let accounts = Accounts {
        cap,
        id,
        groom_ko: groom.0.clone(),
        groom_en: groom.1.clone(),
        bride_ko: bride.0.clone(),
        bride_en: bride.1.clone(),
        a1_side: "groom".into(),
        a1_relation_ko: "신랑".into(),
        a1_relation_en: "Groom".into(),
        a1_holder_ko: groom.0,
        a1_holder_en: groom.1,
        a1_bank_ko: b1.0,
        a1_bank_en: b1.1,
        a1_number: n1,
        a2_side: "groom".into(),
        a2_relation_ko: "신랑 아버지".into(),
        a2_relation_en: "Groom's father".into(),
        a2_holder_ko: groom_father.0,
        a2_holder_en: groom_father.1,
        a2_bank_ko: b2.0,
        a2_bank_en: b2.1,
        a2_number: n2,
        a3_side: "bride".into(),
        a3_relation_ko: "신부".into(),
        a3_relation_en: "Bride".into(),
        a3_holder_ko: bride.0,
        a3_holder_en: bride.1,
        a3_bank_ko: b3.0,
        a3_bank_en: b3.1,
        a3_number: n3,
        a4_side: "bride".into(),
        a4_relation_ko: "신부 아버지".into(),
        a4_relation_en: "Bride's father".into(),
        a4_holder_ko: bride_father.0,
        a4_holder_en: bride_father.1,
        a4_bank_ko: b4.0,
        a4_bank_en: b4.1,
        a4_number: n4,
    };
    (invitation, accounts)
}

/// Given names of grooms.
const GROOMS: &[Pair] = &[
    ("민준", "Minjun"),
    ("도윤", "Doyun"),
    ("지호", "Jiho"),
    ("현우", "Hyunwoo"),
    ("준서", "Junseo"),
    ("건우", "Gunwoo"),
    ("태양", "Taeyang"),
    ("승현", "Seunghyun"),
    ("재민", "Jaemin"),
    ("은호", "Eunho"),
    ("시우", "Siwoo"),
    ("동하", "Dongha"),
];

/// Given names of brides.
const BRIDES: &[Pair] = &[
    ("서연", "Seoyeon"),
    ("하은", "Haeun"),
    ("지우", "Jiwoo"),
    ("수아", "Sua"),
    ("예린", "Yerin"),
    ("채원", "Chaewon"),
    ("나은", "Naeun"),
    ("유진", "Yujin"),
    ("다인", "Dain"),
    ("소율", "Soyul"),
    ("가람", "Garam"),
    ("보라", "Bora"),
];

/// Wedding venues: name, hall, address, directions.
const VENUES: &[(Pair, Pair, Pair, Pair)] = &[
    (
        ("한들웨딩홀", "Handeul Wedding Hall"),
        ("3층 그랜드볼룸", "Grand Ballroom, 3rd floor"),
        ("새미시 한들로 21", "21 Handeul-ro, Saemi"),
        (
            "지하철 2호선 한들역 4번 출구로 나와 왼쪽으로 200미터 걸으면 흰색 건물이 보입니다. 주차는 지하 2층, 두 시간 무료입니다.",
            "Take line 2 to Handeul, leave by exit 4 and walk 200 metres to the left to the white building. Parking on basement 2, two hours free.",
        ),
    ),
    (
        ("물빛정원", "Mulbit Garden"),
        ("1층 유리온실", "The Glasshouse, ground floor"),
        ("새미시 강변길 108", "108 Gangbyeon-gil, Saemi"),
        (
            "새미역 앞 정류장에서 7번 버스를 타고 강변공원에서 내려 다리 반대쪽으로 5분 걸어오세요. 셔틀버스는 새미역 1번 출구에서 20분마다 있습니다.",
            "From the stop at Saemi station take bus 7 to Riverside Park and walk 5 minutes away from the bridge. A shuttle leaves exit 1 of the station every 20 minutes.",
        ),
    ),
    (
        ("솔향교회", "Solhyang Church"),
        ("본당", "Main hall"),
        ("새미시 솔향3길 5", "5 Solhyang 3-gil, Saemi"),
        (
            "지하철 5호선 솔숲역 1번 출구에서 언덕길을 따라 300미터 올라오면 붉은 벽돌 건물입니다. 주차장이 좁으니 대중교통을 이용해 주세요.",
            "From exit 1 of Solsup station on line 5 follow the hill road up for 300 metres to the red brick building. Parking is scarce, please come by train.",
        ),
    ),
    (
        ("너른마당", "Neoreun Madang"),
        ("야외 잔디마당", "The lawn"),
        ("다온군 너른길 77", "77 Neoreun-gil, Daon"),
        (
            "다온터미널에서 택시로 10분, 기사님께 '너른마당 한옥'이라고 말씀해 주세요. 자가용은 다온 나들목에서 나와 첫 신호등에서 우회전입니다.",
            "Ten minutes by taxi from Daon terminal; ask for 'Neoreun Madang hanok'. By car leave at the Daon interchange and turn right at the first light.",
        ),
    ),
    (
        ("별마루호텔", "Byeolmaru Hotel"),
        ("2층 오로라홀", "Aurora Hall, 2nd floor"),
        ("새미시 별마루대로 300", "300 Byeolmaru-daero, Saemi"),
        (
            "공항철도 별마루역 3번 출구와 지하로 이어져 있습니다. 주차는 호텔 지하 3층부터 5층까지, 세 시간 무료입니다.",
            "Connected underground to exit 3 of Byeolmaru station on the airport line. Parking on basements 3 to 5, three hours free.",
        ),
    ),
];

/// What couples write.
const MESSAGES: &[Pair] = &[
    (
        "서로의 계절이 되어 주기로 했습니다. 귀한 걸음으로 축복해 주시면 더없는 기쁨으로 간직하겠습니다.",
        "We have chosen to be each other's seasons. Your presence would be a joy we keep for good.",
    ),
    (
        "같은 곳을 보며 천천히 걷겠습니다. 그 첫걸음에 함께해 주세요.",
        "We will walk slowly, looking the same way. Please be there for the first step.",
    ),
    (
        "오래 알던 두 사람이 한 가족이 됩니다. 따뜻한 마음으로 지켜봐 주세요.",
        "Two old friends become one family. Please come and watch over us kindly.",
    ),
];
