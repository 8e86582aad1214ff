//! What a thief with a disk, a mirror or somebody else's link gets: nothing. The test vectors are in
//! `FORMAT.md`, and run with the crate above.

#![cfg(test)]

use proptest::prelude::*;
use seal::{OpenError, PLAINTEXT_BYTES, SealError, open, record_name, seal};

const SITE: &str = "dasom";
const COLLECTION: &str = "accounts";
const CAP: &str = "k7QpX2mN9vR4";
const TEXT: &[u8] = b"{\"account\":\"110-123-456789\"}";

fn sealed() -> Vec<u8> {
    seal(SITE, COLLECTION, CAP, TEXT).unwrap()
}

#[test]
fn equal_content_gives_equal_bytes() {
    assert_eq!(sealed(), sealed());
    assert_ne!(sealed(), seal(SITE, COLLECTION, CAP, b"other").unwrap());
}

#[test]
fn the_holder_opens_it() {
    assert_eq!(open(SITE, COLLECTION, CAP, &sealed()).unwrap(), TEXT);
}

#[test]
fn wrong_secret_site_or_collection() {
    for (site, collection, cap) in [
        ("dasum", COLLECTION, CAP),
        (SITE, "account", CAP),
        (SITE, COLLECTION, "k7QpX2mN9vR5"),
        (SITE, COLLECTION, ""),
    ] {
        assert_eq!(
            open(site, collection, cap, &sealed()),
            Err(OpenError::Refused)
        );
        assert_ne!(
            record_name(site, collection, cap),
            record_name(SITE, COLLECTION, CAP)
        );
    }
}

#[test]
fn record_moved_to_another_place() {
    // Sealed under one capability, laid under another one's name by whoever holds the mirror.
    let other = seal(SITE, COLLECTION, "another", TEXT).unwrap();
    assert_eq!(open(SITE, COLLECTION, CAP, &other), Err(OpenError::Refused));
}

#[test]
fn one_flipped_byte() {
    let good = sealed();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let expected = match at {
            0 => OpenError::Version { got: 0 },
            _ => OpenError::Refused,
        };
        assert_eq!(
            open(SITE, COLLECTION, CAP, &bad),
            Err(expected),
            "byte {at}"
        );
    }
}

#[test]
fn truncated_or_extended() {
    let good = sealed();
    for length in [0, 1, 28, 29, 255] {
        assert_eq!(
            open(SITE, COLLECTION, CAP, &good[..length]),
            Err(OpenError::Length { got: length })
        );
    }
    let mut longer = good;
    longer.resize(1024, 0);
    assert_eq!(
        open(SITE, COLLECTION, CAP, &longer),
        Err(OpenError::Refused)
    );
}

#[test]
fn oversized() {
    let most = vec![7; PLAINTEXT_BYTES];
    let sealed = seal(SITE, COLLECTION, CAP, &most).unwrap();
    assert_eq!(open(SITE, COLLECTION, CAP, &sealed).unwrap(), most);
    let got = PLAINTEXT_BYTES + 1;
    assert_eq!(
        seal(SITE, COLLECTION, CAP, &vec![7; got]),
        Err(SealError::TooLong { got })
    );
    let length = PLAINTEXT_BYTES + 2 * 16 * 1024;
    assert_eq!(
        open(SITE, COLLECTION, CAP, &vec![1; length]),
        Err(OpenError::Length { got: length })
    );
}

#[test]
fn padding_hides_the_length() {
    let length = |n: usize| seal(SITE, COLLECTION, CAP, &vec![b'x'; n]).unwrap().len();
    // The last length of each class, and the first of the next: 30 bytes go to header, mark, tag.
    for (class, next) in [(256, 1024), (1024, 4096), (4096, 16_384), (16_384, 32_768)] {
        assert_eq!(length(class - 30), class);
        assert_eq!(length(class - 29), next);
    }
    assert_eq!(length(0), 256);
}

#[test]
fn nothing_of_the_record_shows() {
    let sealed = sealed();
    for needle in [TEXT, CAP.as_bytes(), b"110"] {
        assert!(!sealed.windows(needle.len()).any(|w| w == needle));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn opens_to_what_was_sealed(text in proptest::collection::vec(any::<u8>(), 0..5000), cap in ".{0,40}") {
        let sealed = seal(SITE, COLLECTION, cap.as_str(), &text).unwrap();
        prop_assert_eq!(open(SITE, COLLECTION, cap.as_str(), &sealed).unwrap(), text);
    }
}
