//! Measures a line of the text once, so that no frame has to walk through all of it: how wide it is, where a column is in it, and where its
//! rows begin when it is wrapped. Pure; a line may be a megabyte.

use std::ops::Range;
use std::sync::Arc;

use crate::tui::clean;

/// Columns between two places of a long line that are remembered.
const STRIDE: usize = 256;
/// Bytes that one column may take.
const WIDEST: usize = 16;

/// How wide a line is.
#[derive(Debug)]
pub(super) struct Ruler {
    columns: usize,
    /// Its columns are its bytes. That there are as many of both says nothing: a character of three bytes may be three columns wide.
    ascii: bool,
    /// Where every [`STRIDE`] columns begin, byte and column, if the line is long and not ASCII.
    stops: Box<[(usize, usize)]>,
}

/// A part of a line that a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) bytes: Range<usize>,
    /// Columns at its start that show half a character, and so nothing.
    pub(super) torn: usize,
}

impl Ruler {
    /// Measures a line.
    pub(super) fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self { columns: text.len(), ascii: true, stops: Box::default() };
        }
        let mut stops = Vec::new();
        let (mut byte, mut column) = (0, 0);
        for part in clean::wrapped(text, STRIDE) {
            stops.push((byte, column));
            byte += part.len();
            column += clean::columns(part);
        }
        Self { columns: column, ascii: false, stops: if stops.len() > 1 { stops.into() } else { Box::default() } }
    }

    /// Returns how many columns the line has.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Returns whether the line takes several rows of this width and only a walk through it tells where they begin.
    pub(super) fn must_be_walked(&self, width: usize) -> bool {
        !self.ascii && self.columns > width
    }

    /// Returns how many columns are before a byte, which must be between two characters.
    pub(super) fn column_of(&self, text: &str, byte: usize) -> usize {
        if self.ascii {
            return byte;
        }
        let (from, column) = self.stop(|stop| stop.0 <= byte);
        column + clean::columns(&text[from..byte])
    }

    /// Returns what is seen of the line when so many of its columns are out of sight at the left.
    pub(super) fn from(&self, text: &str, left: usize, width: usize) -> Part {
        let (start, torn) = if self.ascii {
            (left.min(text.len()), 0)
        } else {
            let (from, column) = self.stop(|stop| stop.1 <= left);
            let (rest, torn) = clean::tail(&text[from..], left - column);
            (text.len() - rest.len(), torn)
        };
        let end = clean::char_end_before(text, start.saturating_add(width * WIDEST));
        Part { bytes: start..end.max(start), torn }
    }

    /// Returns where the rows of the line begin when it is wrapped; empty if that is a matter of counting, as in ASCII, or of one row.
    pub(super) fn breaks(&self, text: &str, width: usize) -> Arc<[usize]> {
        if !self.must_be_walked(width) {
            return Arc::default();
        }
        let mut at = 0;
        let start = |part: &str| {
            let start = at;
            at += part.len();
            start
        };
        clean::wrapped(text, width).map(start).collect()
    }

    fn stop(&self, is_before: impl Fn(&(usize, usize)) -> bool) -> (usize, usize) {
        let at = self.stops.partition_point(is_before);
        at.checked_sub(1).map_or((0, 0), |at| self.stops[at])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line() -> impl Strategy<Value = String> {
        prop_oneof!["[ab]{0,700}", "[a世é👍 ]{0,700}", "[\u{17d8}a]{1,90}", "(e\u{301}|世|x){0,400}"]
    }

    proptest! {
        #[test]
        fn a_long_line_is_measured_like_a_short_one(text in line(), left in 0_usize..900, width in 1_usize..90) {
            let ruler = Ruler::of(&text);
            prop_assert_eq!(ruler.columns(), clean::columns(&text));
            let part = ruler.from(&text, left, width);
            let (rest, torn) = clean::tail(&text, left);
            prop_assert_eq!((part.bytes.start, part.torn), (text.len() - rest.len(), torn));
            prop_assert!(clean::columns(&text[part.bytes.clone()]) >= width.min(clean::columns(rest)));
            let byte = clean::char_end_before(&text, left);
            if text[..byte].chars().count() == text.chars().count() || !text.contains('\u{301}') {
                prop_assert_eq!(ruler.column_of(&text, byte), clean::columns(&text[..byte]));
            }
        }

        #[test]
        fn a_wrapped_line_breaks_where_logs_break(text in line(), width in 1_usize..90) {
            let ruler = Ruler::of(&text);
            let breaks = ruler.breaks(&text, width);
            let mut at = 0;
            let starts: Vec<usize> = clean::wrapped(&text, width).map(|part| { at += part.len(); at - part.len() }).collect();
            if !breaks.is_empty() {
                prop_assert_eq!(breaks.to_vec(), starts);
            } else {
                prop_assert!(text.is_ascii() || starts.len() == 1);
            }
        }
    }
}
