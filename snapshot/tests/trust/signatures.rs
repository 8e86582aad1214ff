//! Signatures that a lenient reader would take.

use snapshot::{Envelope, Floor, Generation, Namespace, SignError, Signer, encode, limits};
use ssh_key::encoding::Encode;
use ssh_key::private::Ed25519Keypair;
use ssh_key::public::{KeyData, SkEd25519};
use ssh_key::{Algorithm, HashAlg, PublicKey, Signature, SshSig};

use crate::world::*;

/// An envelope around a release with these signature bytes.
fn carrying(signature: Vec<u8>) -> Envelope {
    let payload = serde_bytes::ByteBuf::from(encode(&release(1)).unwrap());
    let signatures = vec![serde_bytes::ByteBuf::from(signature)];
    Envelope::from_bytes(&encode(&(1u16, payload, signatures)).unwrap()).unwrap()
}

fn judge(signature: Vec<u8>) -> &'static str {
    refused(judge_release(
        &generation(),
        &carrying(signature),
        &Floor::default(),
    ))
}

fn good() -> Vec<u8> {
    let envelope = signed_release(&release(1), &[SORA]);
    envelope.signatures().next().unwrap().to_vec()
}

#[test]
fn trailing_bytes_and_other_spellings() {
    let mut trailing = good();
    trailing.push(0);
    assert_eq!(judge(trailing), "malformed-signature");
    for length in [0, 5, 6, 10, good().len() - 1] {
        assert_eq!(judge(good()[..length].to_vec()), "malformed-signature");
    }
}

#[test]
fn every_flipped_byte_is_refused() {
    for at in 0..good().len() {
        let mut bad = good();
        bad[at] ^= 1;
        let reason = judge(bad);
        assert!(
            [
                "malformed-signature",
                "wrong-key",
                "wrong-namespace",
                "wrong-algorithm",
                "other-bytes"
            ]
            .contains(&reason),
            "byte {at}: {reason}"
        );
    }
}

#[test]
fn oversized_signature() {
    assert_eq!(
        judge(vec![0; limits::SIGNATURE_BYTES + 1]),
        "malformed-signature"
    );
}

#[test]
fn too_many_signatures() {
    let one = serde_bytes::ByteBuf::from(good());
    let payload = serde_bytes::ByteBuf::from(encode(&release(1)).unwrap());
    let bytes = encode(&(1u16, payload, vec![one; limits::SIGNATURES + 1])).unwrap();
    let text = Envelope::from_bytes(&bytes).unwrap_err().to_string();
    assert!(text.contains("17 signatures"), "{text}");

    let mut envelope = Envelope::seal(encode(&release(1)).unwrap());
    for seed in 0..limits::SIGNATURES {
        let signer = key(u8::try_from(seed).unwrap());
        envelope.sign_with(&signer, Namespace::Release).unwrap();
    }
    let full = envelope.sign_with(&key(200), Namespace::Release);
    assert!(matches!(full, Err(SignError::TooManySignatures)));
    // Signing again replaces, so there is room for that.
    envelope.sign_with(&key(0), Namespace::Release).unwrap();
    assert_eq!(envelope.signatures().len(), limits::SIGNATURES);
}

#[test]
fn oversized_envelope() {
    let bytes = encode(&(
        1u16,
        serde_bytes::ByteBuf::from(vec![0; limits::ENVELOPE_BYTES]),
        Vec::<serde_bytes::ByteBuf>::new(),
    ))
    .unwrap();
    assert!(Envelope::from_bytes(&bytes).is_err());
}

#[test]
fn armor_takes_the_first_signature_only_once() {
    let mut envelope = signed_release(&release(1), &[SORA]);
    let armor = envelope.armor().unwrap().remove(0);
    // The same key's signature comes back in armor, with text before it and CRLF, as mail does.
    let mailed = format!("Here it is:\r\n{}", armor.replace('\n', "\r\n"));
    envelope.attach_armor(&mailed).unwrap();
    assert_eq!(envelope.signatures().len(), 1);
    assert!(judge_release(&generation(), &envelope, &Floor::default()).is_ok());
    assert!(envelope.attach_armor("no armor").is_err());
    assert!(envelope.attach_armor(&"A".repeat(100_000)).is_err());
}

/// A hardware key's signature, made in software: application, flags and counter are signed along.
fn hardware(flags: u8) -> (String, Vec<u8>) {
    let pair = Ed25519Keypair::from_seed(&[42; 32]);
    let public = KeyData::SkEd25519(SkEd25519::new(pair.public, "ssh:"));
    let payload = encode(&release(1)).unwrap();
    let message = SshSig::signed_data("release@holdfast", HashAlg::Sha512, &payload).unwrap();
    let trailer = [flags, 0, 0, 0, 9];
    let signed = [
        HashAlg::Sha256.digest(b"ssh:").as_slice(),
        &trailer,
        &HashAlg::Sha256.digest(&message),
    ]
    .concat();
    let signer = snapshot::KeySigner::new(pair.into()).unwrap();
    let raw = signer.sign(&signed).unwrap();
    let data = [raw.as_bytes(), &trailer].concat();
    let signature = Signature::new(Algorithm::SkEd25519, data).unwrap();
    let signature = SshSig::new(
        public.clone(),
        "release@holdfast",
        HashAlg::Sha512,
        signature,
    )
    .unwrap();
    let public = PublicKey::from(public).to_openssh().unwrap();
    (public, signature.encode_vec().unwrap())
}

#[test]
fn no_user_presence() {
    let (public, touched) = hardware(0x01);
    let listed = format!(
        "sora {public}\n{}{}",
        line("jun", "", JUN),
        line("mina", "", MINA)
    );
    let generation = Generation::parse(&listed, TRUST).unwrap();
    let judge = |signature| judge_release(&generation, &carrying(signature), &Floor::default());
    assert!(judge(touched.clone()).is_ok());
    assert_eq!(refused(judge(hardware(0x00).1)), "no-user-presence");
    assert_eq!(refused(judge(hardware(0x04).1)), "no-user-presence");
    // Setting the flag afterwards breaks the signature.
    let mut forged = hardware(0x00).1;
    let at = forged.len() - 5;
    forged[at] = 0x01;
    assert_eq!(refused(judge(forged)), "other-bytes");
}

/// A key and a signature of these wire parts, put together as `ssh-keygen` would.
fn foreign(key: &[&[u8]], algorithm: Algorithm, signature: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for part in key {
        wire.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        wire.extend_from_slice(part);
    }
    let key = PublicKey::from_bytes(&wire).unwrap().key_data().clone();
    let signature = Signature::new(algorithm, signature).unwrap();
    let signature = SshSig::new(key, "release@holdfast", HashAlg::Sha512, signature).unwrap();
    signature.encode_vec().unwrap()
}

#[test]
fn algorithms_outside_the_list() {
    // Whatever features the library was built with: no signature of these is even looked at.
    let sha512 = Some(HashAlg::Sha512);
    let rsa: [&[u8]; 3] = [b"ssh-rsa", &[1, 0, 1], &[0x7f; 128]];
    let rsa = foreign(&rsa, Algorithm::Rsa { hash: sha512 }, &[1; 128]);
    assert_eq!(judge(rsa), "wrong-algorithm");
    // An Ed25519 key that says it signed with RSA.
    let ed25519: [&[u8]; 2] = [b"ssh-ed25519", &[7; 32]];
    let mixed = foreign(&ed25519, Algorithm::Rsa { hash: sha512 }, &[1; 128]);
    assert_eq!(judge(mixed), "wrong-algorithm");
}
