//! Room on the disk, before anything is fetched or merged.
//!
//! A disk that fills in the middle costs what was fetched until then and leaves no room for the
//! journal. What this asks is no reservation: others write to the disk too, and a write that fails all
//! the same is told as it always was.

use rustix::fs::statvfs;
use snapshot::Store;

use super::refusal::{Check, Refusal};
use crate::copy::{Lacking, Want};

/// What has to stay free, bytes: the journal, orders, compiled components.
pub const SPARE_BYTES: u64 = 16 << 20;

/// Refuses what this disk has no room for. Blocking.
pub(super) fn check(store: &Store, lacking: &Lacking) -> Result<(), Refusal> {
    let needed = needed(lacking, |want| store.partial_bytes(&want.digest));
    if needed == 0 {
        return Ok(());
    }
    // A disk that does not say is tried.
    let Ok(disk) = statvfs(store.root()) else {
        return Ok(());
    };
    enough(needed, disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What is to be written, bytes.
fn needed(lacking: &Lacking, held: impl Fn(&Want) -> u64) -> u64 {
    let fetched = lacking.objects.iter().chain(&lacking.inputs);
    let fetched = fetched.map(|want| want.bytes().saturating_sub(held(want)));
    let merged = lacking.merges.iter().map(Want::bytes);
    fetched.chain(merged).fold(0, u64::saturating_add)
}

fn enough(needed: u64, free: u64) -> Result<(), Refusal> {
    let all = needed.checked_add(SPARE_BYTES);
    if all.is_some_and(|all| all <= free) {
        return Ok(());
    }
    let reason = format!(
        "no room: {needed} bytes to write and {SPARE_BYTES} to spare, {free} free: make room, or \
         move `data` of edge.toml to a larger disk"
    );
    Err(Refusal::new(Check::Disk, None, reason))
}

#[cfg(test)]
mod tests {
    use snapshot::Digest;

    use super::*;
    use crate::copy::Kind;

    fn want(bytes: u64) -> Want {
        Want {
            digest: Digest::of(&bytes.to_le_bytes()),
            kind: Kind::Blob(bytes),
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_before_a_byte_is_fetched() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let of = |bytes| Lacking {
            objects: vec![want(bytes)],
            ..Lacking::default()
        };
        check(&store, &of(1)).unwrap();
        let refusal = check(&store, &of(1 << 60)).unwrap_err();
        assert_eq!(refusal.check, Check::Disk);
        assert!(
            refusal
                .reason
                .starts_with("no room: 1152921504606846976 bytes")
        );
        enough(10, SPARE_BYTES + 10).unwrap();
        enough(11, SPARE_BYTES + 10).unwrap_err();
        enough(u64::MAX, u64::MAX).unwrap_err();
    }

    #[test]
    fn what_is_here_in_part_needs_less_and_merges_need_room_too() {
        let lacking = Lacking {
            objects: vec![want(10)],
            inputs: vec![want(20)],
            merges: vec![want(40)],
        };
        assert_eq!(needed(&lacking, |_| 0), 70);
        assert_eq!(needed(&lacking, |_| 10), 50);
    }
}
