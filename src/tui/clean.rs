//! Makes text from the cluster printable and measures it in columns. Whatever a pod, a name or a message contains, what leaves this module
//! has no control characters, nothing invisible and a width that the terminal agrees with. Knows nothing of logs, screens or styles.
//!
//! What has no look of its own gets one: `ESC` becomes `␛`, a bidi override `<U+202E>`, a byte that is not UTF-8 `U+FFFD`. Only what merely
//! decorates goes away without a mark: colour sequences, variation selectors and the carriage return of a Windows line end.

pub(crate) mod cells;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use unicode_width::UnicodeWidthChar;

const TAB: usize = 8;
/// Longest colour sequence that is believed to be one; a longer one is shown.
const SGR_LIMIT: usize = 64;
/// Marks that may pile up on one character; more get a circle of their own to stand on.
const MARKS_LIMIT: u8 = 8;

/// A line as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub(crate) text: String,
    /// Some bytes were not UTF-8 and are now U+FFFD.
    pub(crate) lossy: bool,
}

/// Returns a line of a log as it may be shown.
pub(crate) fn line(bytes: &[u8]) -> Cleaned {
    let mut cleaner = Cleaner::default();
    let mut text = String::with_capacity(bytes.len());
    cleaner.feed(bytes, &mut text, usize::MAX);
    cleaner.finish(&mut text);
    Cleaned { text, lossy: cleaner.lossy }
}

/// Returns a name or a message as it may be shown on one line; line breaks become `␊`.
pub(crate) fn text(raw: &str) -> Cow<'_, str> {
    if raw.chars().all(is_plain) { Cow::Borrowed(raw) } else { Cow::Owned(line(raw.as_bytes()).text) }
}

/// Cleans a line that arrives in pieces; a character or a colour sequence may be cut between two of them.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    /// The start of something that the next piece may complete.
    pending: Vec<u8>,
    column: usize,
    /// Combining marks on the last character; `None` at the start, where there is nothing to stand on.
    marks: Option<u8>,
    pub(crate) lossy: bool,
}

enum Token {
    /// This many printable ASCII bytes.
    Plain(usize),
    Char(char),
    /// Bytes that are not UTF-8.
    Invalid(usize),
    /// Bytes that only decorate.
    Nothing(usize),
    /// The bytes end before it is clear what they are.
    Unfinished,
}

impl Cleaner {
    /// Appends the printable form of `bytes` to `out` until `out` has about `limit` bytes. Returns how many bytes were left out.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut String, limit: usize) -> u64 {
        if self.pending.is_empty() {
            return self.take(bytes, out, limit, false);
        }
        let mut joined = std::mem::take(&mut self.pending);
        joined.extend_from_slice(bytes);
        self.take(&joined, out, limit, false)
    }

    /// Appends what is left over when the line ends.
    pub(crate) fn finish(&mut self, out: &mut String) {
        let rest = std::mem::take(&mut self.pending);
        self.take(&rest, out, usize::MAX, true);
    }

    /// Forgets the bytes that wait for the next piece. Returns how many there were.
    pub(crate) fn discard(&mut self) -> u64 {
        std::mem::take(&mut self.pending).len() as u64
    }

    fn take(&mut self, bytes: &[u8], out: &mut String, limit: usize, ended: bool) -> u64 {
        let mut rest = bytes;
        while !rest.is_empty() && out.len() < limit {
            let used = match token(rest, ended) {
                Token::Plain(run) => self.plain(&rest[..run.min(limit - out.len())], out),
                Token::Char(found) => self.char(found, out),
                Token::Invalid(length) => self.invalid(length, out),
                Token::Nothing(length) => length,
                Token::Unfinished => {
                    self.pending = rest.to_vec();
                    return 0;
                }
            };
            rest = &rest[used..];
        }
        rest.len() as u64
    }

    fn plain(&mut self, run: &[u8], out: &mut String) -> usize {
        out.extend(run.iter().map(|byte| char::from(*byte)));
        self.column += run.len();
        self.marks = Some(0);
        run.len()
    }

    fn invalid(&mut self, length: usize, out: &mut String) -> usize {
        self.lossy = true;
        self.put(char::REPLACEMENT_CHARACTER, out);
        length
    }

    fn char(&mut self, found: char, out: &mut String) -> usize {
        match found {
            '\t' => (0..TAB - self.column % TAB).for_each(|_| self.put(' ', out)),
            '\0'..='\u{1f}' => self.put(char::from_u32(0x2400 + u32::from(found)).unwrap_or(char::REPLACEMENT_CHARACTER), out),
            '\u{7f}' => self.put('\u{2421}', out),
            '\u{fe00}'..='\u{fe0f}' => {}
            _ if is_invisible(found) => self.code_point(found, out),
            _ if found.width() == Some(0) || is_voicing(found) => self.mark(found, out),
            _ => self.put(found, out),
        }
        found.len_utf8()
    }

    fn put(&mut self, shown: char, out: &mut String) {
        out.push(shown);
        self.column += shown.width().unwrap_or(1);
        self.marks = Some(0);
    }

    fn mark(&mut self, mark: char, out: &mut String) {
        // Terminals draw the half-width voicing marks beside their character, so they may stand once, and only where they belong.
        let beside = is_voicing(mark);
        let limit =
            if !beside { MARKS_LIMIT } else { u8::from(out.ends_with(|base| matches!(base, '\u{ff66}'..='\u{ff9d}' | '\u{25cc}'))) };
        let carried = match self.marks {
            Some(carried) if carried < limit => carried,
            Some(_) | None => {
                self.put('\u{25cc}', out);
                0
            }
        };
        out.push(mark);
        self.marks = Some(carried + 1);
    }

    fn code_point(&mut self, hidden: char, out: &mut String) {
        let before = out.len();
        write!(out, "<U+{:04X}>", u32::from(hidden)).expect("writing to a String cannot fail");
        self.column += out.len() - before;
        self.marks = Some(0);
    }
}

fn token(bytes: &[u8], ended: bool) -> Token {
    let run = bytes.iter().take_while(|byte| matches!(byte, b' '..=b'~')).count();
    if run > 0 {
        return Token::Plain(run);
    }
    match bytes {
        [b'\r'] if ended => Token::Nothing(1),
        [b'\r'] | [0x1b] if !ended => Token::Unfinished,
        [0x1b, b'[', parameters @ ..] | [0xc2, 0x9b, parameters @ ..] => sgr(bytes, parameters, ended),
        _ => char_at(bytes, ended),
    }
}

/// Decides whether a control sequence only sets colours.
fn sgr(bytes: &[u8], parameters: &[u8], ended: bool) -> Token {
    let length = parameters.iter().take(SGR_LIMIT).take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')).count();
    match parameters.get(length) {
        Some(b'm') if length < SGR_LIMIT => Token::Nothing(bytes.len() - parameters.len() + length + 1),
        None if !ended && length < SGR_LIMIT => Token::Unfinished,
        Some(_) | None => char_at(bytes, true),
    }
}

fn char_at(bytes: &[u8], ended: bool) -> Token {
    let head = &bytes[..bytes.len().min(4)];
    let (valid, wrong) = match std::str::from_utf8(head) {
        Ok(valid) => (valid, None),
        Err(error) => (std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(), error.error_len()),
    };
    match (valid.chars().next(), wrong) {
        (Some(found), _) => Token::Char(found),
        (None, Some(length)) => Token::Invalid(length),
        (None, None) if ended => Token::Invalid(head.len()),
        (None, None) => Token::Unfinished,
    }
}

fn is_plain(found: char) -> bool {
    matches!(found, ' '..='~')
        || (found >= '\u{a0}' && found.width().is_some_and(|width| width > 0) && !is_voicing(found) && !is_invisible(found))
}

/// The half-width voicing marks of Japanese: part of the character before them, with a cell of their own.
fn is_voicing(found: char) -> bool {
    matches!(found, '\u{ff9e}' | '\u{ff9f}')
}

/// Returns whether a character has no look of its own, changes the order of its neighbours, or is drawn into its neighbour by some
/// terminals and beside it by others, as the colours of skin are. Nor are all agreed on how wide the Khmer sign of 0x17d8 is.
fn is_invisible(found: char) -> bool {
    matches!(u32::from(found),
        0x80..=0x9f | 0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x17d8 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
        | 0x2060..=0x206f | 0x3164 | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0x1f3fb..=0x1f3ff
        | 0xe0000..=0xe0fff)
}

/// Returns how many columns a printable text takes.
pub(crate) fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let mut sum = 0;
    cells::each(text, |_, _, width| {
        sum += width;
        ControlFlow::Continue(())
    });
    sum
}

/// Returns the text if it fits into `columns`, else its start and `…`.
pub(crate) fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if !is_wider(text, columns) {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let mut short = String::with_capacity(room + '…'.len_utf8());
    short.push_str(head(text, room));
    short.push('…');
    Cow::Owned(short)
}

/// Returns whether a printable text has more columns than that; looks no further.
pub(crate) fn is_wider(text: &str, columns: usize) -> bool {
    columns_up_to(text, columns) > columns
}

/// Counts columns, but not much further than `enough`.
fn columns_up_to(text: &str, enough: usize) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let mut sum = 0;
    cells::each(text, |_, _, width| {
        sum += width;
        if sum > enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    sum
}

/// Returns the longest start of a printable text that fits into `columns`.
pub(crate) fn head(text: &str, columns: usize) -> &str {
    if text.is_ascii() {
        return &text[..columns.min(text.len())];
    }
    let mut sum = 0;
    let mut end = text.len();
    cells::each(text, |offset, _, width| {
        sum += width;
        if sum <= columns {
            return ControlFlow::Continue(());
        }
        end = offset;
        ControlFlow::Break(())
    });
    &text[..end]
}

/// Returns the text without its first `columns`, and how many of its columns are lost because a wide character was cut in two.
pub(crate) fn tail(text: &str, columns: usize) -> (&str, usize) {
    if text.is_ascii() {
        return (&text[columns.min(text.len())..], 0);
    }
    let (mut sum, mut start) = (0, text.len());
    cells::each(text, |offset, _, width| {
        if sum >= columns {
            start = offset;
            return ControlFlow::Break(());
        }
        sum += width;
        ControlFlow::Continue(())
    });
    (&text[start..], sum.saturating_sub(columns))
}

/// Returns the rows that a printable text takes when it is wrapped at `width` columns; at least one.
pub(crate) fn wrapped(text: &str, width: usize) -> Wrapped<'_> {
    Wrapped { rest: Some(text), width: width.max(1), ascii: text.is_ascii() }
}

/// Returns how many rows [`wrapped`] yields.
pub(crate) fn wrapped_rows(text: &str, width: usize) -> u64 {
    if text.is_ascii() { text.len().div_ceil(width.max(1)).max(1) as u64 } else { wrapped(text, width).count() as u64 }
}

/// The rows of a wrapped text, from the first to the last.
#[derive(Debug)]
pub(crate) struct Wrapped<'a> {
    rest: Option<&'a str>,
    width: usize,
    ascii: bool,
}

impl<'a> Iterator for Wrapped<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.take()?;
        let end = if self.ascii { rest.len().min(self.width) } else { head(rest, self.width).len() };
        // A character that is wider than the row gets a row of its own, or this would never end.
        let end = if end == 0 { first_cell(rest) } else { end };
        self.rest = (end < rest.len()).then(|| &rest[end..]);
        Some(&rest[..end])
    }

    fn nth(&mut self, n: usize) -> Option<&'a str> {
        if self.ascii {
            let skipped = n.saturating_mul(self.width);
            self.rest = self.rest.filter(|rest| skipped == 0 || skipped < rest.len()).map(|rest| &rest[skipped..]);
            return self.next();
        }
        (0..n).try_for_each(|_| self.next().map(drop))?;
        self.next()
    }
}

/// Returns the end of the last character that lies before a byte offset.
pub(crate) fn char_end_before(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// Returns the start of the first character at or after a byte offset.
pub(crate) fn char_start_after(text: &str, offset: usize) -> usize {
    (offset..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

fn first_cell(text: &str) -> usize {
    let mut end = 0;
    cells::each(text, |_, symbol, _| {
        end = symbol.len();
        ControlFlow::Break(())
    });
    end
}
