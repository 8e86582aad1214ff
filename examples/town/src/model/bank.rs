//! The bank: an account as it stood when its copy was made, and how to reach money without the app.

use super::{Made, Record, pick, table};
use crate::rng::Rng;
use crate::words::Pair;

table!(
    /// An account of the bank, under its holder's capability.
    BankAccount in "bank" {
        cap, id, holder_ko, holder_en, kind_ko, kind_en, number, balance_won, branch_ko,
        branch_en, branch_phone, machine_ko, machine_en, transfer_phone, card_loss_phone,
    }
);

impl Record for BankAccount {
    const SERVICE: &'static str = "bank";
    const TITLE: Pair = ("다솜뱅크", "Dasom Bank");
    const FACTS: &'static [(&'static str, Pair)] = &[
        ("holder", ("예금주", "Holder")),
        ("kind", ("상품", "Account")),
        ("number", ("계좌번호", "Number")),
        ("balance_won", ("잔액", "Balance")),
        ("branch", ("지점", "Branch")),
        ("branch_phone", ("지점 전화", "Branch number")),
        ("machine", ("가까운 자동화기기", "Nearest machine")),
        ("transfer_phone", ("전화 이체", "Transfers by telephone")),
        ("card_loss_phone", ("카드 분실 신고", "Lost cards")),
    ];
    const ACTION: Pair = ("이체하기", "Transfer");

    fn path(&self) -> String {
        format!("/bank/{}/{}/", self.id, self.cap)
    }

    fn says(&self, language: &str) -> Vec<String> {
        vec![pick(language, ("기준 잔액, 읽기 전용", "Balance as of"))]
    }
}

impl Made for BankAccount {
    fn make(rng: &mut Rng, _: usize) -> Self {
        let (holder, kind, branch) = (rng.anyone(), rng.pair(KINDS), rng.pair(BRANCHES));
        let machine = rng.pair(MACHINES);
        Self {
            cap: rng.id(26),
            id: rng.id(12),
            holder_ko: holder.0,
            holder_en: holder.1,
            kind_ko: kind.0,
            kind_en: kind.1,
            number: format!("{}-{}-{}", rng.digits(4), rng.digits(2), rng.digits(7)),
            balance_won: (1_000 + rng.below(9_000_000)).to_string(),
            branch_ko: branch.0,
            branch_en: branch.1,
            branch_phone: format!("02-{}-{}", rng.digits(4), rng.digits(4)),
            machine_ko: machine.0,
            machine_en: machine.1,
            transfer_phone: "1599-0106".into(),
            card_loss_phone: "1599-0199".into(),
        }
    }
}

/// What the accounts are.
const KINDS: &[Pair] = &[
    ("입출금통장", "Current account"),
    ("모임통장", "Shared account"),
    ("급여통장", "Salary account"),
    ("자유적금", "Savings"),
];

/// Branches.
const BRANCHES: &[Pair] = &[
    ("새미중앙지점", "Saemi Central"),
    ("한들역지점", "Handeul Station"),
    ("솔숲지점", "Solsup"),
    ("다온지점", "Daon"),
    ("별마루출장소", "Byeolmaru office"),
];

/// Cash machines that work by themselves.
const MACHINES: &[Pair] = &[
    (
        "새미역 1층 편의점",
        "The shop on the ground floor of Saemi station",
    ),
    ("한들시장 입구", "The gate of Handeul market"),
    ("솔숲우체국", "Solsup post office"),
    ("다온터미널 대합실", "The hall of Daon terminal"),
];
