//! Dumps that are read by the lines of the one before.

use super::*;

impl Bench {
    /// One whose rows are a dump of lines.
    fn of_lines() -> Self {
        let bench = Self::new();
        let text = bench
            .text
            .replace("csv = \"rows.csv\"", "ndjson = \"rows.ndjson\"");
        Self { text, ..bench }
    }

    fn lines(&self, rows: impl IntoIterator<Item = (usize, usize)>) {
        let line = |(id, v)| format!("{{\"id\":\"{id:04}\",\"v\":\"{v}\"}}\n");
        let text: String = rows.into_iter().map(line).collect();
        fs::write(self.path("rows.ndjson"), text).unwrap();
    }

    /// Builds upon `base` from the dump `rows.ndjson`, by the lines of the one before in `lines`, if
    /// there are any; the builder is told to read it afresh as a publish does.
    fn build_by_lines(&self, base: Option<&Built>, lines: &Path) -> (Built, Vec<Ask>) {
        let site = self.site();
        let scratch = self.store.scratch();
        let tag = |built: &Built| Digest::of(format!("{:?}", rows(built).segments).as_bytes());
        let (mut asked, mut learned) = (Vec::new(), None);
        let mut give = |c: &config::Collection, ask: Ask| {
            let known = base.filter(|_| ask == Ask::First);
            let known = known.and_then(|base| source::Lines::open(lines, &tag(base)));
            let read = source::read(&site.site, c, SourceLimits::default(), &scratch, known)?;
            let Some(knows) = read.learned else {
                return Ok(Given::All(read.rows));
            };
            asked.push(ask);
            let partly = knows.is_partial().then(|| knows.records());
            learned = Some(knows);
            Ok(match partly {
                Some(records) => Given::Found(read.rows, records),
                None => Given::All(read.rows),
            })
        };
        let base = base.map(|base| Base {
            manifest: &base.manifest,
            wish: None,
        });
        let built = build(&site, &mut give, base, true, &self.store).unwrap();
        let scratch = self.store.scratch();
        learned
            .unwrap()
            .keep(lines, &tag(&built), &scratch)
            .unwrap();
        (built, asked)
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 40, ..Default::default() })]

    /// However dumps change, and in whatever order they come: what the lines of the one before
    /// spare changes nothing about the release.
    #[test]
    fn a_dump_read_by_its_lines_makes_the_same_release(
        dumps in proptest::collection::vec(
            proptest::collection::hash_map(0_usize..40, 0_usize..3, 1..40),
            2..6,
        ),
    ) {
        let bench = Bench::of_lines();
        let lines = bench.path("lines");
        let mut base: Option<Built> = None;
        for dump in dumps {
            // In the order of the map: any.
            bench.lines(dump.iter().map(|(id, v)| (*id, *v)));
            let base_manifest = base.as_ref().map(|built| &built.manifest);
            let whole = bench.try_build(base_manifest, true).unwrap();
            let (by_lines, asked) = bench.build_by_lines(base.as_ref(), &lines);
            proptest::prop_assert_eq!(asked, [Ask::First]);
            proptest::prop_assert_eq!(&whole.manifest, &by_lines.manifest);
            proptest::prop_assert_eq!(&whole.changes, &by_lines.changes);
            proptest::prop_assert_eq!(whole.new_objects.len(), by_lines.new_objects.len());
            base = Some(by_lines);
        }
    }
}

#[test]
fn a_dump_whose_lines_do_not_add_up_is_read_afresh() {
    let bench = Bench::of_lines();
    let lines = bench.path("lines");
    bench.lines([(1, 1), (2, 1)]);
    let (first, _) = bench.build_by_lines(None, &lines);
    // Another state under the same tag, as no publish leaves it: of a third record nothing is held.
    let kept = fs::read(&lines).unwrap();
    bench.lines([(1, 1), (2, 1), (3, 1)]);
    bench.build_by_lines(None, &lines);
    let other = fs::read(&lines).unwrap();
    let tagged = with_tag_of(&other, &kept);
    fs::write(&lines, tagged).unwrap();
    let (second, asked) = bench.build_by_lines(Some(&first), &lines);
    assert_eq!(asked, [Ask::First, Ask::Afresh]);
    assert_eq!(second.changes[0].upserts, 1);
    assert_eq!(found(&second, "rows").len(), 3);
}

/// The bytes of a file of lines, with the tag of another.
fn with_tag_of(lines: &[u8], of: &[u8]) -> Vec<u8> {
    let tag = b"holdfast lines 2\n".len()..b"holdfast lines 2\n".len() + Digest::LEN;
    let mut bytes = lines[..lines.len() - Digest::LEN].to_vec();
    bytes[tag.clone()].copy_from_slice(&of[tag]);
    let digest = Digest::of(&bytes);
    bytes.extend(digest.as_bytes());
    bytes
}
