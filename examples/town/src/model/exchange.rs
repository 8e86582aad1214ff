//! An exchange whose members sign in through the messenger: other ways in, and how to keep proof.

use super::{Made, Record, pick, table};
use crate::rng::Rng;
use crate::words::Pair;

table!(
    /// A member of the exchange.
    Member in "members" {
        id, nick, phone_hint, mail_hint, desk_phone, desk_mail, case_no, keep_ko, keep_en,
    }
);

impl Record for Member {
    const SERVICE: &'static str = "exchange";
    const TITLE: Pair = ("가온거래소", "Gaon Exchange");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("nick", ("별명", "Nickname")),
        ("phone_hint", ("전화번호 로그인", "Sign-in by telephone")),
        ("mail_hint", ("이메일 로그인", "Sign-in by e-mail")),
        ("desk_phone", ("주문 창구", "Order desk")),
        ("desk_mail", ("접수 메일", "Address for claims")),
        ("case_no", ("접수 번호", "Reference")),
        ("keep", ("증거 남기기", "Keep proof")),
    ];
    const ACTION: Pair = ("다솜로그인으로 거래하기", "Trade with Dasom Sign-in");

    fn path(&self) -> String {
        format!("/exchange/{}/", self.id)
    }

    fn says(&self, language: &str) -> Vec<String> {
        let read_only = (
            "읽기 전용: 주문은 받지 않습니다",
            "read-only: no orders are taken here",
        );
        vec![pick(language, read_only)]
    }
}

impl Made for Member {
    fn make(rng: &mut Rng, _: usize) -> Self {
        let keep = rng.pair(KEEP);
        Self {
            id: rng.id(12),
            nick: format!("gaon{}", rng.digits(5)),
            phone_hint: format!("010-****-{}", rng.digits(4)),
            mail_hint: format!("{}***@mail.example", rng.id(2)),
            desk_phone: format!("1599-{}", rng.digits(4)),
            desk_mail: "claims@gaon.example".into(),
            case_no: format!("G-{}", rng.digits(8)),
            keep_ko: keep.0,
            keep_en: keep.1,
        }
    }
}

/// How to keep proof of a failed attempt.
const KEEP: &[Pair] = &[
    (
        "시각이 보이게 화면을 찍고, 하려던 주문의 종목·수량·가격을 적어 접수 번호와 함께 보내 주세요.",
        "Photograph the screen with the time on it, note what you meant to order, how much and at what price, and send it with the reference.",
    ),
    (
        "로그인 실패 화면과 휴대전화 시계를 함께 찍어 두세요. 주문 창구에 전화한 시각도 기록하세요.",
        "Photograph the failed sign-in beside your clock, and note when you called the order desk.",
    ),
];
