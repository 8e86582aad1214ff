//! Bytes hashed on their way.

use std::io::{self, Read, Write};

/// Hashes what passes.
#[derive(Debug)]
pub(crate) struct Hashed<I> {
    pub(crate) inner: I,
    pub(crate) hash: blake3::Hasher,
}

impl<I> Hashed<I> {
    pub(crate) fn new(inner: I) -> Self {
        Self {
            inner,
            hash: blake3::Hasher::new(),
        }
    }
}

impl<I: Read> Read for Hashed<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..got).unwrap_or_default());
        Ok(got)
    }
}

impl<I: Write> Write for Hashed<I> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..done).unwrap_or_default());
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
