//! Writes JSON on one line that no terminal can mistake for instructions: the control characters beyond ASCII, which JSON allows
//! to stand as they are, are escaped too.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Returns the value as one line of JSON, with its newline.
pub(super) fn to_line<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(256);
    write_line(&mut line, value)?;
    Ok(line)
}

/// Writes the value as one line of JSON, piece by piece.
///
/// # Errors
/// The output is closed.
pub(super) fn write_line<W: Write, T: Serialize>(out: &mut W, value: &T) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Harmless(CompactFormatter)))?;
    out.write_all(b"\n")
}

struct Harmless(CompactFormatter);

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|letter: char| matches!(letter, '\u{7f}'..='\u{9f}')) {
            let (before, from) = rest.split_at(at);
            self.0.write_string_fragment(writer, before)?;
            let mut letters = from.chars();
            if let Some(letter) = letters.next() {
                write!(writer, "\\u{:04x}", u32::from(letter))?;
            }
            rest = letters.as_str();
        }
        self.0.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_can_be_read_back() {
        let text = "a\u{1b}[31m\u{9b}2J\u{7f}é✓";
        let line = String::from_utf8(to_line(&text).unwrap()).unwrap();
        assert_eq!(line, "\"a\\u001b[31m\\u009b2J\\u007fé✓\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
