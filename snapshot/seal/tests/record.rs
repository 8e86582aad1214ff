//! What a thief with a disk, a mirror or somebody else's link gets: nothing.

use proptest::prelude::*;
use seal::{OpenError, PLAINTEXT_BYTES, SealError, open, record_name, seal};

const SITE: &str = "dasom";
const COLLECTION: &str = "accounts";
const CAP: &str = "k7QpX2mN9vR4";
const TEXT: &[u8] = b"{\"account\":\"110-123-456789\"}";

const NAME: &str = "968830466592635543b69592104aba2472007db06e9e721f7fa6add8e85c6186";
const SEALED: &str = "\
    019551bcd9709bff9bafe82fb213a679dc62b94651ae3e35366b5943643eb4d4\
    1b671fd00f58a01b960b7127bb798d715fd51720dd180a0e7b0c7cedb01e9084\
    cf4c5088a2f32f73dd970868bc193949137bf21dbd1962a25f87e99cb5fef4ea\
    1f87cfe76a308c41cea55a7588caa9f40e978d08341f2dfffe951de06f7eb842\
    e8ca82cfbaa0b242d585d1155083aa462059ce39783d7e4ef9dd00cf2124cb1c\
    65e642e3b34301d9e4226451765e282a25475f1397dc46e71fac3ae06ce0d3b2\
    5245014421ce9a87bb116a910d95ca868c057d4a5461e875ed6ff19db908ce00\
    ca2d0d59cb855fafebca721534389742989abd7242264b9cf8490800c0db28de";

fn sealed() -> Vec<u8> {
    seal(SITE, COLLECTION, CAP, TEXT).unwrap()
}

#[test]
fn equal_content_gives_equal_bytes() {
    assert_eq!(sealed(), sealed());
    assert_ne!(sealed(), seal(SITE, COLLECTION, CAP, b"other").unwrap());
}

/// The vectors of `FORMAT.md`, section 12.
#[test]
fn test_vectors() {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(record_name(SITE, COLLECTION, CAP), NAME);
    assert_eq!(hex(&sealed()), SEALED);
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
    #[test]
    fn opens_to_what_was_sealed(text in proptest::collection::vec(any::<u8>(), 0..5000), cap in ".{0,40}") {
        let sealed = seal(SITE, COLLECTION, cap.as_str(), &text).unwrap();
        prop_assert_eq!(open(SITE, COLLECTION, cap.as_str(), &sealed).unwrap(), text);
    }
}
