//! Where gifts go.

use super::table;

table!(
    /// Both families' bank accounts, under the invitation's capability.
    Accounts in "accounts" {
        cap, id, groom_ko, groom_en, bride_ko, bride_en,
        a1_side, a1_relation_ko, a1_relation_en, a1_holder_ko, a1_holder_en, a1_bank_ko, a1_bank_en, a1_number,
        a2_side, a2_relation_ko, a2_relation_en, a2_holder_ko, a2_holder_en, a2_bank_ko, a2_bank_en, a2_number,
        a3_side, a3_relation_ko, a3_relation_en, a3_holder_ko, a3_holder_en, a3_bank_ko, a3_bank_en, a3_number,
        a4_side, a4_relation_ko, a4_relation_en, a4_holder_ko, a4_holder_en, a4_bank_ko, a4_bank_en, a4_number,
    }
);

impl Accounts {
    /// The four account numbers.
    #[must_use]
    pub fn numbers(&self) -> [&str; 4] {
        [
            &self.a1_number,
            &self.a2_number,
            &self.a3_number,
            &self.a4_number,
        ]
    }
}
