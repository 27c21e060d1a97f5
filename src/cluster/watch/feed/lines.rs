//! Cuts a stream into lines. Knows no events: what a line says is read elsewhere.

use crate::cluster::wire::{CallError, Stream};

/// Splits a stream at newlines. A piece without its newline at the end is not a line: the stream was cut, and it will come again.
pub(super) struct Lines {
    stream: Stream,
    rest: Vec<u8>,
}

impl Lines {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, rest: Vec::new() }
    }

    /// Returns the next line without its newline; `None` at the end of the stream.
    ///
    /// Cancel-safe: what has been read stays in `rest`.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.rest[searched..].iter().position(|byte| *byte == b'\n') {
                let tail = self.rest.split_off(searched + at + 1);
                let mut line = std::mem::replace(&mut self.rest, tail);
                line.pop();
                if line.is_empty() {
                    searched = 0;
                    continue;
                }
                return Ok(Some(line));
            }
            searched = self.rest.len();
            match self.stream.next().await? {
                Some(bytes) => self.rest.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }
}
