//! Signing in: which ways an account has, and which one to add once it is back.

use super::{Made, Record, table};
use crate::rng::Rng;
use crate::words::Pair;

table!(
    /// An account's ways to sign in, under its holder's capability.
    SignIn in "sign_ins" {
        cap, id, name_ko, name_en, phone_hint, mail_hint, device_ko, device_en, used_ko,
        used_en, add_ko, add_en,
    }
);

impl Record for SignIn {
    const SERVICE: &'static str = "login";
    const TITLE: Pair = ("다솜로그인", "Dasom Sign-in");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("name", ("이름", "Name")),
        ("phone_hint", ("전화번호", "Telephone")),
        ("mail_hint", ("이메일", "E-mail")),
        ("device", ("기기", "Device")),
        ("used", ("연결된 서비스", "Used for")),
        ("add", ("추가할 방법", "Add once it is back")),
    ];
    const ACTION: Pair = ("로그인 방법 추가", "Add a way to sign in");

    fn path(&self) -> String {
        format!("/login/{}/{}/", self.id, self.cap)
    }
}

impl Made for SignIn {
    fn make(rng: &mut Rng, _: usize) -> Self {
        let (name, device) = (rng.anyone(), rng.pair(DEVICES));
        let (used, add) = (rng.pair(USED), rng.pair(ADD));
        Self {
            cap: rng.id(26),
            id: rng.id(12),
            name_ko: name.0,
            name_en: name.1,
            phone_hint: format!("010-****-{}", rng.digits(4)),
            mail_hint: format!("{}***@mail.example", rng.id(2)),
            device_ko: device.0,
            device_en: device.1,
            used_ko: used.0,
            used_en: used.1,
            add_ko: add.0,
            add_en: add.1,
        }
    }
}

/// What holds a key of one's own.
const DEVICES: &[Pair] = &[
    ("휴대전화 한 대에 패스키", "A passkey on one telephone"),
    ("패스키 없음", "No passkey"),
    ("보안 키 하나와 노트북", "A security key and a laptop"),
];

/// What the account opens.
const USED: &[Pair] = &[
    ("가온거래소, 한들쇼핑", "Gaon Exchange, Handeul Shopping"),
    ("다솜모임, 새미도서관", "Dasom Clubs, Saemi Library"),
    ("물빛게임, 온누리택시", "Mulbit Games, Onnuri Taxi"),
];

/// What to add.
const ADD: &[Pair] = &[
    (
        "설정 > 로그인 방법에서 이메일과 비밀번호를 추가하세요.",
        "In Settings, Ways to sign in, add an e-mail address and a password.",
    ),
    (
        "설정 > 보안에서 두 번째 기기에 패스키를 만드세요.",
        "In Settings, Security, make a passkey on a second device.",
    ),
    (
        "연결된 서비스마다 전화번호 로그인을 켜 두세요.",
        "In each service that you use, turn on signing in by telephone number.",
    ),
];
