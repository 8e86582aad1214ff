//! What people write about whom to trust, and names.

use snapshot::{
    CollectionName, Digest, Fingerprint, Generation, Key, Scope, ServiceName, SiteName, limits,
};

crate::decoders![signers, roles, names];

/// `allowed_signers`, in OpenSSH's form.
fn signers(bytes: &[u8]) -> bool {
    let parsed = Generation::parse(&crate::text(bytes), valid::ROLES);
    assert!(parsed.is_err() || bytes.len() <= limits::TRUST_FILE_BYTES);
    parsed.is_ok()
}

/// `trust.toml`.
fn roles(bytes: &[u8]) -> bool {
    let parsed = Generation::parse(valid::SIGNERS, &crate::text(bytes));
    assert!(parsed.is_err() || bytes.len() <= limits::TRUST_FILE_BYTES);
    parsed.is_ok()
}

/// Everything that is written as one word. What is read is written the same way.
fn names(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    if let Ok(key) = Key::new(bytes) {
        assert!(key.as_bytes() == bytes && bytes.len() <= limits::KEY_BYTES);
    }
    let written = [
        text.parse::<SiteName>().map(|it| it.to_string()).ok(),
        text.parse::<CollectionName>().map(|it| it.to_string()).ok(),
        text.parse::<ServiceName>().map(|it| it.to_string()).ok(),
        text.parse::<Scope>().map(|it| it.to_string()).ok(),
        text.parse::<Digest>().map(|it| it.to_string()).ok(),
        text.parse::<Fingerprint>().map(|it| it.to_string()).ok(),
    ];
    let mut read = false;
    for written in written.into_iter().flatten() {
        assert_eq!(written, text);
        read = true;
    }
    read
}

mod valid {
    //! Sound files.

    pub(super) const ROLES: &str = "[person.sora]\nroles = [\"publisher\", \"operator\"]\n\
        sites = [\"dasom\"]\n[thresholds]\nrelease = 1\norder = 1\nsite-order = 1\n";

    pub(super) const SIGNERS: &str = "# Sora, at her desk.\n\
        sora namespaces=\"release@holdfast,order@*\",valid-after=\"20260101Z\",\
        valid-before=\"20301231235959Z\" ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIIqI4905ct8U0wgPbKHSb6/Q5YYk6SkSZWS8wBkRSsRd sora@desk\n";

    pub(super) fn signers() -> Vec<Vec<u8>> {
        crate::texts([SIGNERS])
    }

    pub(super) fn roles() -> Vec<Vec<u8>> {
        crate::texts([ROLES])
    }

    pub(super) fn names() -> Vec<Vec<u8>> {
        let digest = "ab".repeat(32);
        let key = "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8";
        crate::texts(["dasom", "service:pay", "site", &digest, key])
    }
}
