//! Wedding invitations.

use super::table;

table!(
    /// A mobile wedding invitation.
    Invitation in "invitations" {
        id, cap, groom_ko, groom_en, bride_ko, bride_en, groom_parents_ko, groom_parents_en,
        bride_parents_ko, bride_parents_en, date, time, venue_ko, venue_en, hall_ko, hall_en,
        address_ko, address_en, phone, directions_ko, directions_en, message_ko, message_en,
        photos, family_phone,
    }
);
