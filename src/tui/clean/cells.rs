//! Takes a printable text apart into what a terminal puts into one place. Most letters stand alone, whatever comes next, and are found
//! without the rules of Unicode for what belongs together, which cost ten times as much. Knows nothing of rows and widths of screens.

use std::ops::ControlFlow;

use ratatui::buffer::CellWidth;
use ratatui::style::Style;
use ratatui::text::Span;
use unicode_width::UnicodeWidthChar;

/// Visits what the terminal puts into one place together: (offset, symbol, columns).
pub(super) fn each(text: &str, mut visit: impl FnMut(usize, &str, usize) -> ControlFlow<()>) {
    let mut at = 0;
    while let Some((skipped, length, columns)) = alone(&text[at..]).or_else(|| together(&text[at..])) {
        #[cfg(test)]
        count::LOOKED_AT.set(count::LOOKED_AT.get() + 1);
        let start = at + skipped;
        if visit(start, &text[start..start + length], columns).is_break() {
            return;
        }
        at = start + length;
    }
}

/// Returns the first letter if neither it nor the next one ever joins with a neighbour: (0, length, columns).
fn alone(rest: &str) -> Option<(usize, usize, usize)> {
    let mut letters = rest.chars();
    let first = letters.next().filter(|letter| is_alone(*letter))?;
    let is_apart =
        letters.as_str().as_bytes().first().is_none_or(|byte| matches!(byte, b' '..=b'~')) || letters.next().is_some_and(is_alone);
    is_apart.then(|| (0, first.len_utf8(), first.width().unwrap_or_default()))
}

/// Returns what comes first by the rules of Unicode: (what is not drawn before it, length, columns).
fn together(rest: &str) -> Option<(usize, usize, usize)> {
    let span = Span::raw(rest);
    let first = span.styled_graphemes(Style::default()).next()?;
    let skipped = first.symbol.as_ptr() as usize - rest.as_ptr() as usize;
    Some((skipped, first.symbol.len(), usize::from(first.symbol.cell_width())))
}

/// Returns whether a letter makes a place of its own beside any other such letter: Latin, Greek, Cyrillic, frames and arrows, kana, Han,
/// the syllables of Korean, and pictures without colours of skin.
fn is_alone(letter: char) -> bool {
    matches!(u32::from(letter),
        0x20..=0x7e | 0xa1..=0xac | 0xae..=0x2ff | 0x391..=0x3a1 | 0x3a3..=0x3ff | 0x400..=0x482 | 0x48a..=0x52f | 0x2010..=0x2027
        | 0x2190..=0x23ff | 0x2500..=0x27bf | 0x3001..=0x3029 | 0x3041..=0x3096 | 0x30a1..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff
        | 0xac00..=0xd7a3 | 0xff01..=0xff60 | 0x1f300..=0x1f3fa | 0x1f400..=0x1f64f | 0x1f900..=0x1f9ff)
}

/// How many places were looked at, for tests that say what a frame may cost: no clock tells it as well.
#[cfg(test)]
pub(crate) mod count {
    use std::cell::Cell;

    thread_local! {
        pub(super) static LOOKED_AT: Cell<u64> = const { Cell::new(0) };
    }

    /// Returns how many places something looks at on this thread.
    pub(crate) fn during(work: impl FnOnce()) -> u64 {
        let before = LOOKED_AT.get();
        work();
        LOOKED_AT.get() - before
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(text: &str) -> Vec<(usize, String, usize)> {
        let mut places = Vec::new();
        each(text, |at, symbol, columns| {
            places.push((at, symbol.to_owned(), columns));
            ControlFlow::Continue(())
        });
        places
    }

    /// By the rules of Unicode from end to end.
    fn slowly(text: &str) -> Vec<(usize, String, usize)> {
        let span = Span::raw(text);
        let place = |symbol: &str| (symbol.as_ptr() as usize - text.as_ptr() as usize, symbol.to_owned(), usize::from(symbol.cell_width()));
        span.styled_graphemes(Style::default()).map(|found| place(found.symbol)).collect()
    }

    #[test]
    fn a_letter_that_is_taken_alone_stands_alone_by_the_rules_of_unicode_too() {
        let letters: Vec<char> = (0..=0x10_ffff).filter_map(char::from_u32).filter(|letter| is_alone(*letter)).collect();
        assert!(letters.len() > 40_000);
        for pair in letters.windows(2).map(|pair| [pair[0], pair[1]]).chain(letters.iter().map(|letter| [*letter, *letter])) {
            let text: String = pair.iter().chain(&['a', pair[0], 'が', pair[1], '각', pair[0], '👍', pair[0]]).collect();
            assert_eq!(places(&text), slowly(&text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_taken_apart_that_belongs_together(text in "([ab世가👍é]|\\PC|e\u{301}|\u{1100}\u{1161}|\u{ac00}\u{11a8}|\u{200d}|🇩|👩|\u{600}|ﾞ){0,40}") {
            prop_assert_eq!(places(&text), slowly(&text));
        }
    }
}
