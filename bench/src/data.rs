//! Records by the million, the same from the same seed: about 1 KB each, with Korean text.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;

/// The collection that the records are in.
pub(crate) const COLLECTION: &str = "people";

/// Where every bench begins.
pub(crate) const SEED: u64 = 20_221_015;

/// Syllables that words are made of.
const SYLLABLES: &[&str] = &[
    "가", "나", "다", "라", "마", "바", "사", "아", "자", "차", "카", "타", "파", "하", "고", "노",
    "도", "로", "모", "보", "소", "오", "조", "초", "구", "누", "두", "루", "무", "부", "수", "우",
    "주", "기", "니", "디", "리", "미", "비", "시", "이", "지", "치", "한", "국", "인", "민", "은",
    "는", "를", "에", "서", "울", "산", "강", "집", "길", "말", "물", "불", "별", "달", "해", "손",
];
/// Words that a text draws from, the common ones more often.
const WORDS: u64 = 4_096;

/// Draws of splitmix64: small, and the same everywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// The key of record `n`: every number has another, and neighbours lie far apart.
pub(crate) fn key(n: u64) -> String {
    format!("{:016x}", Draws::new(n ^ SEED).next())
}

/// Record `n` in its `edition`, as a line of NDJSON.
pub(crate) fn record(line: &mut Vec<u8>, n: u64, edition: u64) {
    let mut draws = Draws::new(n.wrapping_mul(2_654_435_761) ^ (edition << 48) ^ SEED);
    line.clear();
    line.extend(format!("{{\"id\":\"{}\",\"name\":\"", key(n)).bytes());
    words(line, &mut draws, 2);
    line.extend_from_slice("\",\"주소\":\"".as_bytes());
    words(line, &mut draws, 6);
    let (a, b) = (draws.below(10_000), draws.below(10_000));
    line.extend(format!("\",\"phone\":\"010-{a:04}-{b:04}\",\"balance\":").bytes());
    line.extend(draws.below(100_000_000).to_string().bytes());
    line.extend(format!(",\"edition\":{edition},\"memo\":\"").bytes());
    words(line, &mut draws, 92);
    line.extend_from_slice(b"\"}\n");
}

fn words(line: &mut Vec<u8>, draws: &mut Draws, count: usize) {
    for n in 0..count {
        if n > 0 {
            line.push(b' ');
        }
        // The product of two draws favours small numbers, as language favours some words.
        let word = draws.below(WORDS) * draws.below(WORDS) / WORDS;
        let mut letters = Draws::new(word);
        for _ in 0..2 + letters.below(2) {
            let at = usize::try_from(letters.below(SYLLABLES.len() as u64)).unwrap_or(0);
            let syllable = SYLLABLES.get(at).copied().unwrap_or("가");
            line.extend_from_slice(syllable.as_bytes());
        }
    }
}

/// Writes records `0..count` to `path`, unsorted by key; gives its length, bytes.
pub(crate) fn write(path: &Path, count: u64, edition: impl Fn(u64) -> u64) -> Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, fs_err::File::create(path)?);
    let mut line = Vec::new();
    let mut bytes = 0;
    for n in 0..count {
        record(&mut line, n, edition(n));
        out.write_all(&line)?;
        bytes += line.len() as u64;
    }
    out.flush()?;
    Ok(bytes)
}

/// About `count` of the `records` that change in edition `edition`, ascending.
pub(crate) fn chosen(count: u64, records: u64, edition: u64) -> Vec<u64> {
    let mut draws = Draws::new(edition);
    let mut chosen: Vec<u64> = (0..count).map(|_| draws.below(records)).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// Writes a change list of them to `list`; gives the changed rows alone.
pub(crate) fn changes(list: &Path, count: u64, records: u64, edition: u64) -> Result<Vec<u8>> {
    let mut out = BufWriter::new(fs_err::File::create(list)?);
    let (mut line, mut rows) = (Vec::new(), Vec::new());
    for n in chosen(count, records, edition) {
        record(&mut line, n, edition);
        rows.extend_from_slice(&line);
        out.write_all(b"{\"put\":")?;
        out.write_all(line.trim_ascii_end())?;
        out.write_all(b"}\n")?;
    }
    out.flush()?;
    Ok(rows)
}
