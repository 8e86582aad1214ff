//! The rows of the town: one struct a table, every column a text, as guests and templates read it.

/// Declares a table: its struct, its column names and the way to a row of texts and back.
macro_rules! table {
    ($(#[$doc:meta])* $type:ident in $table:literal { $($field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $type {
            $(#[doc = concat!("Column `", stringify!($field), "`.")] pub $field: String,)+
        }

        impl $type {
            /// The table's name.
            pub const TABLE: &'static str = $table;
            /// The columns, in order; the first is the primary key.
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            /// The values in the order of [`Self::COLUMNS`].
            #[must_use]
            pub fn values(&self) -> Vec<&str> {
                vec![$(self.$field.as_str()),+]
            }

            /// Reads a row with every column.
            ///
            /// # Errors
            /// SQLite's, for a column that is absent or no text.
            pub fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                Ok(Self { $($field: row.get(stringify!($field))?,)+ })
            }
        }
    };
}

table!(
    /// A mobile wedding invitation.
    Invitation in "invitations" {
        id, cap, groom_ko, groom_en, bride_ko, bride_en, groom_parents_ko, groom_parents_en,
        bride_parents_ko, bride_parents_en, date, time, venue_ko, venue_en, hall_ko, hall_en,
        address_ko, address_en, phone, directions_ko, directions_en, message_ko, message_en,
        photos, family_phone,
    }
);

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

table!(
    /// A club's meeting.
    Meeting in "meetings" {
        id, club_ko, club_en, title_ko, title_en, date, time, point_ko, point_en, course_ko,
        course_en, bring_ko, bring_en, fee_won, organiser_ko, organiser_en, organiser_phone,
    }
);

table!(
    /// What to do without a service.
    Guide in "guides" {
        service, order_no, title_ko, title_en, meanwhile_ko, meanwhile_en, how_ko, how_en, phone,
    }
);
