//! The payment app: a bill, what it was for, and how else it can be paid.

use super::{Made, Record, table};
use crate::rng::Rng;
use crate::words::{self, Pair};

table!(
    /// A bill that the payment app would have paid.
    Payment in "payments" {
        id, shop_ko, shop_en, item_ko, item_en, amount_won, order_no, shop_phone, bank_ko,
        bank_en, account, else_ko, else_en,
    }
);

impl Record for Payment {
    const SERVICE: &'static str = "pay";
    const TITLE: Pair = ("다솜페이", "Dasom Pay");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("shop", ("가게", "Shop")),
        ("item", ("내용", "For")),
        ("amount_won", ("금액", "Amount")),
        ("order_no", ("주문 번호", "Order")),
        ("shop_phone", ("가게 전화", "Shop number")),
        ("bank", ("은행", "Bank")),
        ("account", ("계좌번호", "Account")),
        ("else", ("다른 방법", "How else")),
    ];
    const ACTION: Pair = ("다솜페이로 결제", "Pay with Dasom Pay");

    fn path(&self) -> String {
        format!("/pay/{}/", self.id)
    }
}

impl Made for Payment {
    fn make(rng: &mut Rng, _: usize) -> Self {
        let (shop, item) = rng.pick(SHOPS).copied().unwrap_or_default();
        let (bank, other) = (rng.pair(words::BANKS), rng.pair(OTHERWISE));
        Self {
            id: rng.id(12),
            shop_ko: shop.0.into(),
            shop_en: shop.1.into(),
            item_ko: item.0.into(),
            item_en: item.1.into(),
            amount_won: format!("{}00", 30 + rng.below(900)),
            order_no: format!("D{}", rng.digits(9)),
            shop_phone: format!("02-{}-{}", rng.digits(4), rng.digits(4)),
            bank_ko: bank.0,
            bank_en: bank.1,
            account: format!("{}-{}-{}", rng.digits(3), rng.digits(2), rng.digits(6)),
            else_ko: other.0,
            else_en: other.1,
        }
    }
}

/// Shops and what people owe them for.
const SHOPS: &[(Pair, Pair)] = &[
    (
        ("한들빵집", "Handeul Bakery"),
        ("생일 케이크 예약", "A birthday cake"),
    ),
    (
        ("새미자전거", "Saemi Bicycles"),
        ("타이어 교체", "A new tyre"),
    ),
    (
        ("물빛꽃집", "Mulbit Flowers"),
        ("꽃다발 배달", "A bunch of flowers, delivered"),
    ),
    (
        ("솔숲세탁소", "Solsup Cleaners"),
        ("겨울 외투 세탁", "A winter coat cleaned"),
    ),
    (
        ("다온치킨", "Daon Chicken"),
        ("포장 주문", "A meal to take away"),
    ),
    (
        ("별마루학원", "Byeolmaru School"),
        ("11월 수강료", "Fees for November"),
    ),
];

/// How else to pay.
const OTHERWISE: &[Pair] = &[
    (
        "실물 카드나 현금으로 가게에서, 또는 아래 계좌로 보내세요.",
        "With a card or cash at the shop, or to the account below.",
    ),
    (
        "가게에 전화해 오늘 외상으로 하고 내일 내셔도 됩니다.",
        "Call the shop: it lets you pay tomorrow.",
    ),
    (
        "은행 앱이나 자동화기기에서 아래 계좌로 보내세요.",
        "To the account below, by your bank's app or a machine.",
    ),
];
