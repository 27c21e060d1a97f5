//! Standard output that does not take what is printed. A reader that has gone away wanted no more; anything else, such as a full disk, is
//! said, because what was printed is not whole. Knows nothing of what is printed.

use std::io::{self, ErrorKind, Stdout, Write};

use crate::failure::{Exit, Failure, complain};

/// Returns how the program ends that had nothing to do but to print.
///
/// # Errors
/// Not everything was printed, and whoever reads it does not know.
pub(super) fn ended(printed: io::Result<()>, exit: Exit) -> Result<Exit, Failure> {
    match printed {
        Ok(()) => Ok(exit),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            tracing::debug!(%error, "the reader of standard output has gone away");
            Ok(exit)
        }
        Err(error) => Err(Failure::usage(sentence(&error))),
    }
}

fn sentence(error: &io::Error) -> String {
    format!("standard output cannot be written, so what it has got is not whole: {error}; give it a place with room")
}

/// Standard output of an operation, which goes on without it.
pub(super) struct Lasting {
    out: Stdout,
    is_told: bool,
}

impl Lasting {
    pub(super) fn new(out: Stdout) -> Self {
        Self { out, is_told: false }
    }

    /// What was not written is tried again by whoever holds it back.
    fn noticed<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            let is_news = !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted);
            if is_news && !std::mem::replace(&mut self.is_told, true) {
                complain(&format!("{}; the operation goes on\n", sentence(error)));
            }
        })
    }
}

impl Write for Lasting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.noticed(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.noticed(result)
    }
}
