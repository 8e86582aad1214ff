//! Output with an end: fuel bounds a template's steps, not what each of them writes.

use std::io::{self, Write};

/// A buffer that refuses what would pass its limit.
#[derive(Debug)]
pub(crate) struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Bounded {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
        }
    }

    pub(crate) fn into_string(self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > self.limit {
            let limit = self.limit;
            return Err(io::Error::other(format!("more than {limit} bytes written")));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_the_limit() {
        let mut bounded = Bounded::new(4);
        bounded.write_all(b"1234").unwrap();
        assert!(bounded.write_all(b"5").is_err());
        assert_eq!(bounded.into_string(), "1234");
    }
}
