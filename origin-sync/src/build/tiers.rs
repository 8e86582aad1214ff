//! Which segments of a stack a publish merges: a pure rule about sizes.
//!
//! A publish that changes something puts one segment, of what changed, on top of the stack. Before
//! that it may merge a run of the segments that lie there already. The new one is never in the run:
//! so everything that is merged was named by the release before, an edge that follows has it, and
//! makes the merged segment by itself.
//!
//! The oldest segment is mostly the whole collection and is dear to write anew, so it lies by itself.
//! The rules, of which the first that gives a run decides:
//!
//! 1. **Tiers.** From the newest down to the last segment above the oldest that is no larger than all
//!    newer ones together: they become one.
//! 2. **Bottom.** The whole stack becomes one when more than a quarter of the oldest segment is
//!    shadowed, and more than a quarter of all entries is of no use to a reader. No scan is needed to
//!    know: of all entries those that no reader finds are `entries - records`, and of the oldest no
//!    more can be shadowed than that, nor more than there are entries above it. The estimate is never
//!    too low; it is too high by what the segments above shadow among themselves, which the first rule
//!    keeps small.
//! 3. **Depth.** Where the stack would become deeper than [`STACK_DEPTH`], the first rule again, with
//!    "no larger than twice all newer ones", then four times, and so on until it is enough.
//!
//! # What it costs
//!
//! A record is written once when it is published, and again whenever its segment is merged. By the
//! first rule the segment that it lies in then grows at least twofold over what was newer, so of n
//! publishes of a size it is merged at most log2 n times. That alone would let the stack grow log2 n
//! deep; the third rule holds it at seven above the oldest, each about the seventh root of n times as
//! large as the next. The second writes at most four entries for each that it drops. Simulated
//! (`what_is_published_is_written_a_few_times_in_all`) for publishes of 1,000 changes to ten million
//! records, in all and bottom merges included: 100 publishes write 4 times what was published, 1,000
//! write 7 times, 5,000 write 11 times, 20,000 write 11 to 13 times. An edge reads and writes the same
//! bytes on its own disk, and downloads none of them.

use std::ops::Range;

/// A publish leaves no stack deeper than this, the new segment included: a look-up of an absent key
/// reads one leaf of each.
pub const STACK_DEPTH: usize = 8;
/// A bottom merge needs more than one part in so many to be of no use.
const SHADOWED: u64 = 4;

/// What of a segment decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Its length, uncompressed.
    pub(super) bytes: u64,
    /// Its entries, tombstones included.
    pub(super) entries: u64,
}

/// The run of `stack`, newest first, to be merged before one more segment comes on top; `records` is
/// how many a reader finds in it.
pub(super) fn run(stack: &[Size], records: u64) -> Option<Range<usize>> {
    let (_, above) = stack.split_last()?;
    let surplus = (stack.len() + 1).saturating_sub(STACK_DEPTH);
    let grown = |times| tier(above, times).filter(|run| run.len() > surplus);
    if let Some(run) = grown(1) {
        Some(run)
    } else if mostly_shadowed(stack, records) {
        Some(0..stack.len())
    } else if surplus > 0 {
        let mut times = (1..u64::BITS).map(|power| 1 << power);
        times.find_map(grown).or(Some(0..above.len()))
    } else {
        None
    }
}

/// From the newest down to the last segment that is no larger than `times` all newer ones together, if
/// there is one.
fn tier(above: &[Size], times: u64) -> Option<Range<usize>> {
    let mut newer = 0u64;
    let mut last = None;
    for (at, size) in above.iter().enumerate() {
        if at > 0 && size.bytes <= newer.saturating_mul(times) {
            last = Some(at);
        }
        newer = newer.saturating_add(size.bytes);
    }
    last.map(|last| 0..last + 1)
}

fn mostly_shadowed(stack: &[Size], records: u64) -> bool {
    let sum = |sizes: &[Size]| {
        let entries = sizes.iter().map(|size| size.entries);
        entries.fold(0, u64::saturating_add)
    };
    let Some((oldest, above)) = stack.split_last() else {
        return false;
    };
    let useless = sum(stack).saturating_sub(records);
    let shadowed = useless.min(sum(above));
    let over = |part: u64, of: u64| part.saturating_mul(SHADOWED) > of;
    over(shadowed, oldest.entries) && over(useless, sum(stack))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Segments of records of 1,000 bytes.
    fn sizes(thousands: &[u64]) -> Vec<Size> {
        let size = |entries: &u64| Size {
            bytes: entries * 1000,
            entries: *entries,
        };
        thousands.iter().map(size).collect()
    }

    fn entries(stack: &[Size]) -> u64 {
        stack.iter().map(|size| size.entries).sum()
    }

    #[test]
    fn what_is_no_larger_than_all_newer_becomes_one_and_the_oldest_lies_by_itself() {
        let run = |stack: &[u64]| run(&sizes(stack), stack.iter().sum());
        assert_eq!(run(&[]), None);
        assert_eq!(run(&[9]), None);
        assert_eq!(run(&[9, 9]), None);
        assert_eq!(run(&[5, 6, 9]), None);
        assert_eq!(run(&[5, 5, 9]), Some(0..2));
        assert_eq!(run(&[5, 5, 11, 9]), Some(0..2));
        assert_eq!(run(&[5, 5, 10, 9]), Some(0..3));
        assert_eq!(run(&[1, 9, 10, 99]), Some(0..3));
    }

    #[test]
    fn a_stack_at_its_depth_gives_up_the_least_that_is_enough() {
        let run = |stack: &[u64]| run(&sizes(stack), stack.iter().sum());
        let deep = [1, 8, 64, 512, 4096, 1 << 15, 1 << 18];
        assert_eq!(deep.len(), STACK_DEPTH - 1);
        assert_eq!(run(&deep), None);
        assert_eq!(
            run(&[10, 15, 100, 1000, 9000, 80_000, 1 << 18, 1 << 20]),
            Some(0..2)
        );
        assert_eq!(run(&[1, 3, 9, 27, 81, 243, 729, 1 << 20]), Some(0..7));
    }

    #[test]
    fn a_quarter_shadowed_rewrites_the_oldest() {
        // Of 100 records so many were replaced, so many are gone.
        let run = |replaced: u64, gone: u64| {
            let stack = sizes(&[replaced + gone, 100]);
            run(&stack, 100 - gone)
        };
        assert_eq!(run(25, 0), None);
        assert_eq!(run(33, 0), None);
        assert_eq!(run(34, 0), Some(0..2));
        assert_eq!(run(0, 25), None);
        assert_eq!(run(0, 26), Some(0..2));
        // What is new shadows nothing, however much it is.
        assert_eq!(super::run(&sizes(&[10_000, 100]), 10_100), None);
        // A small oldest segment is no reason to write a large one above it.
        assert_eq!(super::run(&sizes(&[10, 100_000, 10]), 100_000), None);
        // Nor are the same few changed again and again: those become one first.
        assert_eq!(super::run(&sizes(&[15, 15, 100]), 100), Some(0..2));
    }

    /// A stack as publishes make it, and what they wrote.
    #[derive(Default)]
    struct Simulated {
        stack: Vec<Size>,
        /// How many of its entries a reader finds.
        records: u64,
        published: u64,
        written: u64,
        bottoms: u64,
        deepest: usize,
    }

    impl Simulated {
        fn of(records: u64) -> Self {
            Self {
                stack: sizes(&[records]),
                records,
                deepest: 1,
                ..Self::default()
            }
        }

        /// Publishes so many new records and so many others for old ones, none of which was
        /// changed since the last bottom merge: merging saves nothing above the oldest.
        fn publish(&mut self, new: u64, replaced: u64) {
            if let Some(run) = run(&self.stack, self.records) {
                assert!(run.len() >= 2 && run.end <= self.stack.len());
                let merged = if run.end == self.stack.len() {
                    assert_eq!(run.start, 0);
                    let wasted = entries(&self.stack) - self.records;
                    assert!(wasted * 4 > self.stack.last().unwrap().entries);
                    self.bottoms += 1;
                    self.records
                } else {
                    entries(&self.stack[run.clone()])
                };
                self.written += merged;
                self.stack.splice(run, sizes(&[merged]));
            }
            self.records += new;
            self.stack.insert(0, sizes(&[new + replaced])[0]);
            self.published += new + replaced;
            self.written += new + replaced;
            self.deepest = self.deepest.max(self.stack.len());
        }

        fn amplification(&self) -> f64 {
            self.written as f64 / self.published as f64
        }
    }

    #[test]
    fn what_is_published_is_written_a_few_times_in_all() {
        for (what, new, replaced) in [
            ("replaces", 0, 1000),
            ("adds", 1000, 0),
            ("does both", 500, 500),
        ] {
            let mut site = Simulated::of(10_000_000);
            for publishes in 1..=20_000 {
                site.publish(new, replaced);
                if [100, 1000, 5000, 20_000].contains(&publishes) {
                    println!(
                        "{publishes:>6} publishes, each {what} 1,000 of 10 M: written {:.2} times, \
                         {} bottom merges, at most {} deep",
                        site.amplification(),
                        site.bottoms,
                        site.deepest,
                    );
                }
                assert!(site.deepest <= STACK_DEPTH);
            }
            let most = 20_000_f64.log2();
            assert!(site.amplification() < most, "{}", site.amplification());
        }
    }

    proptest! {
        #[test]
        fn no_stack_becomes_too_deep_and_none_is_rewritten_for_little(
            first in 1u64..1_000_000,
            changes in prop::collection::vec((0u64..20_000, 0u64..20_000), 1..400),
        ) {
            let mut site = Simulated::of(first);
            for (new, replaced) in changes {
                site.publish(new + 1, replaced);
                prop_assert!(site.stack.len() <= STACK_DEPTH);
            }
        }

        #[test]
        fn a_stack_that_came_too_deep_is_so_no_longer(
            stack in prop::collection::vec(1u64..1_000_000, STACK_DEPTH..64),
        ) {
            let run = run(&sizes(&stack), stack.iter().sum()).unwrap();
            prop_assert!(run.end < stack.len(), "nothing is shadowed");
            prop_assert!(stack.len() - (run.len() - 1) < STACK_DEPTH);
        }
    }
}
