//! Cuts the bytes of a log into lines, and recognises lines that have been delivered before. Pure. Bytes stay as they are.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _, Unit};

/// A longer line comes in parts.
const LONGEST: usize = 64 * 1024;
/// The stamp in front of a line and its blank are never longer.
const STAMP: usize = 48;

/// A line of a log, or a part of a long one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// When the container printed it, as the kubelet says.
    pub(crate) log_time: Option<Timestamp>,
    pub(crate) text: Arc<[u8]>,
    /// The line goes on in the next piece.
    pub(crate) continued: bool,
}

/// How the kubelet begins when it writes an error of its own into a stream that has begun well.
const COMPLAINTS: [&str; 4] =
    [GONE, "failed to create fsnotify watcher: ", "failed to try resolving symlinks in path ", "rpc error: code = "];
/// The container does not exist any more, and its log with it.
const GONE: &str = "unable to retrieve container logs for ";

/// What the kubelet says instead of a line: it has no stamp, as every line of a container has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) text: String,
    /// Asking again brings nothing.
    pub(super) is_final: bool,
}

impl Piece {
    /// Returns what the kubelet says, if this is no line of the container.
    pub(super) fn complaint(&self) -> Option<Complaint> {
        if self.log_time.is_some() || !COMPLAINTS.iter().any(|begin| self.text.starts_with(begin.as_bytes())) {
            return None;
        }
        let text = String::from_utf8_lossy(&self.text).into_owned();
        Some(Complaint { is_final: text.starts_with(GONE), text })
    }
}

/// Puts lines together from whatever bytes come.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// The line that has not ended yet: with its stamp until the first part was cut off.
    line: Vec<u8>,
    /// Of a line that has been cut: its stamp.
    cut: Option<Option<Timestamp>>,
}

impl Assembler {
    /// Takes bytes and returns what they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            self.append(&bytes[..at], &mut pieces);
            pieces.push(self.end_line());
            bytes = &bytes[at + 1..];
        }
        self.append(bytes, &mut pieces);
        pieces
    }

    /// Returns the last line, if it has no newline.
    pub(super) fn rest(&mut self) -> Option<Piece> {
        (!self.line.is_empty() || self.cut.is_some()).then(|| self.end_line())
    }

    fn append(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) {
        self.line.extend_from_slice(bytes);
        // As long as there may be a stamp in front, the line may be that much longer.
        while self.line.len() > LONGEST + if self.cut.is_some() { 0 } else { STAMP } {
            let log_time = self.stamp();
            let at = boundary(&self.line, LONGEST);
            let rest = self.line.split_off(at);
            pieces.push(Piece { log_time, text: std::mem::replace(&mut self.line, rest).into(), continued: true });
        }
    }

    fn end_line(&mut self) -> Piece {
        let log_time = self.stamp();
        self.cut = None;
        Piece { log_time, text: std::mem::take(&mut self.line).into(), continued: false }
    }

    /// Takes the stamp off the beginning of a line; a part of a line has the stamp of its line.
    fn stamp(&mut self) -> Option<Timestamp> {
        if let Some(stamp) = self.cut {
            return stamp;
        }
        let end = self.line.iter().take(STAMP).position(|byte| *byte == b' ').unwrap_or(self.line.len().min(STAMP));
        let stamp = std::str::from_utf8(&self.line[..end]).ok().and_then(|text| text.parse().ok());
        if stamp.is_some() {
            self.line.drain(..(end + 1).min(self.line.len()));
        }
        self.cut = Some(stamp);
        stamp
    }
}

/// Returns the last place at or before `at` that does not cut a character in two, if the text is UTF-8 there.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let is_inside = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    (0..4).map(|back| at - back).find(|place| bytes.get(*place).is_none_or(|byte| !is_inside(*byte))).unwrap_or(at)
}

/// What has been delivered lately, so that the lines that a resumed stream repeats are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Delivered {
    newest: Option<Timestamp>,
    /// How often each piece was delivered, of those that a resumed stream could repeat.
    counts: HashMap<(Option<Timestamp>, u64), u32>,
    /// How many of them the present stream has not repeated yet.
    expected: HashMap<(Option<Timestamp>, u64), u32>,
    part: u32,
    /// Whether the present stream, which does not begin with the first byte of the log, may have begun inside a line.
    may_be_inside: bool,
    /// Whether the present stream, which should repeat something, has brought no line yet.
    is_at_start: bool,
}

impl Delivered {
    /// Returns from when on to read again. Stamps of two streams of one container may be slightly out of order, and the server knows
    /// whole seconds only, so this is a second early; what is repeated is recognised. Never earlier: what may come again must be
    /// remembered.
    pub(super) fn since(&self) -> Option<Timestamp> {
        second(self.newest?)?.checked_sub(1.second()).ok()
    }

    /// A stream begins that repeats everything since [`Self::since`].
    pub(super) fn resume(&mut self) {
        let since = self.since();
        self.forget_before(since);
        self.expected.clone_from(&self.counts);
        self.part = 0;
        (self.may_be_inside, self.is_at_start) = (since.is_some(), since.is_some());
    }

    /// Returns whether a piece that comes now is the first line of a resumed stream and yet new. The newest line that was delivered should
    /// have come before it, so this is another file: that of the next run, or a new one of the same run.
    pub(super) fn is_elsewhere(&self, piece: &Piece) -> bool {
        self.is_at_start && piece.log_time.is_some() && !self.expected.contains_key(&(piece.log_time, self.fingerprint(piece)))
    }

    /// Returns whether a piece is new, and counts it if so.
    pub(super) fn is_new(&mut self, piece: &Piece) -> bool {
        if self.is_rest(piece) {
            return false;
        }
        self.is_at_start = false;
        let key = (piece.log_time, self.fingerprint(piece));
        self.part = if piece.continued { self.part + 1 } else { 0 };
        if let Some(left) = self.expected.get_mut(&key).filter(|left| **left > 0) {
            *left -= 1;
            return false;
        }
        *self.counts.entry(key).or_default() += 1;
        self.newest = self.newest.max(piece.log_time);
        self.forget_old();
        true
    }

    /// The server's file keeps a long line, and some runtimes every line that is printed bit by bit, in entries with stamps of their own.
    /// It leaves out those that are too old and sends the others of such a line without a stamp. The line began before anything that a
    /// resumed stream may lack, so it was delivered whole: what a stream was cut in the middle of begins later than [`Self::since`].
    fn is_rest(&mut self, piece: &Piece) -> bool {
        let is_rest = self.may_be_inside && piece.log_time.is_none();
        self.may_be_inside = is_rest && piece.continued;
        is_rest
    }

    fn fingerprint(&self, piece: &Piece) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.part, piece.continued, &piece.text).hash(&mut hasher);
        hasher.finish()
    }

    /// A log that prints for days must not be remembered whole.
    fn forget_old(&mut self) {
        const MANY: usize = 4_096;
        if self.counts.len() > MANY && self.counts.len().is_power_of_two() {
            self.forget_before(self.since());
        }
    }

    fn forget_before(&mut self, since: Option<Timestamp>) {
        self.counts.retain(|(at, _), _| at.is_none() || *at >= since);
    }
}

fn second(at: Timestamp) -> Option<Timestamp> {
    at.round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: &[Piece]) -> Vec<(String, bool)> {
        pieces.iter().map(|piece| (String::from_utf8_lossy(&piece.text).into_owned(), piece.continued)).collect()
    }

    fn assemble(chunks: &[&[u8]]) -> Vec<Piece> {
        let mut assembler = Assembler::default();
        let mut pieces: Vec<Piece> = chunks.iter().flat_map(|chunk| assembler.push(chunk)).collect();
        pieces.extend(assembler.rest());
        pieces
    }

    #[test]
    fn lines_are_put_together_however_the_bytes_come() {
        let text = "2026-03-01T09:00:00.5Z one\n2026-03-01T09:00:01Z \n2026-03-01T09:00:02Z three";
        let whole = assemble(&[text.as_bytes()]);
        assert_eq!(texts(&whole), [("one".into(), false), (String::new(), false), ("three".into(), false)]);
        assert_eq!(whole[0].log_time, Some("2026-03-01T09:00:00.5Z".parse().unwrap()));
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(assemble(&bytes), whole);
    }

    #[test]
    fn any_bytes_are_kept_and_a_line_without_a_stamp_is_a_line() {
        let pieces = assemble(&[b"2026-03-01T09:00:00Z \xff\x1b[2J\x00\nno stamp here\n\n"]);
        assert_eq!(&*pieces[0].text, b"\xff\x1b[2J\x00");
        assert_eq!((pieces[1].log_time, &*pieces[1].text), (None, &b"no stamp here"[..]));
        assert_eq!((pieces[2].log_time, pieces[2].text.len()), (None, 0));
    }

    #[test]
    fn an_error_of_the_kubelet_is_no_line_but_a_container_may_print_the_same_words() {
        let pieces = assemble(&[b"2026-03-01T09:00:00Z rpc error: code = Unknown\nunable to retrieve container logs for containerd://1"]);
        assert_eq!(pieces[0].complaint(), None);
        assert!(pieces[1].complaint().is_some_and(|complaint| complaint.is_final && complaint.text.ends_with("://1")));
        assert_eq!(assemble(&[b"any other line\n"])[0].complaint(), None);
    }

    #[test]
    fn a_line_over_64_kib_comes_in_continued_parts_that_are_the_line_together() {
        let mut line = "ä".repeat(100_000);
        line.push('!');
        let text = format!("2026-03-01T09:00:00Z {line}\n2026-03-01T09:00:01Z next\n");
        let pieces = assemble(&text.as_bytes().chunks(8_000).collect::<Vec<_>>());
        assert_eq!(pieces, assemble(&[text.as_bytes()]), "the parts do not depend on how the bytes came");
        let flags: Vec<bool> = pieces.iter().map(|piece| piece.continued).collect();
        assert_eq!(flags, [true, true, true, false, false]);
        assert!(pieces.iter().all(|piece| piece.text.len() <= LONGEST && std::str::from_utf8(&piece.text).is_ok()));
        assert!(pieces[..4].iter().all(|piece| piece.log_time == pieces[0].log_time && piece.log_time.is_some()));
        let together: Vec<u8> = pieces[..4].iter().flat_map(|piece| piece.text.iter().copied()).collect();
        assert_eq!(together, line.as_bytes());
    }

    #[test]
    fn a_line_of_exactly_64_kib_is_one_line() {
        let text = format!("2026-03-01T09:00:00Z {}\n", "x".repeat(LONGEST));
        let pieces = assemble(&[text.as_bytes()]);
        assert_eq!((pieces.len(), pieces[0].continued, pieces[0].text.len()), (1, false, LONGEST));
    }

    fn piece(at: &str, text: &str) -> Piece {
        Piece { log_time: Some(format!("2026-03-01T09:00:{at}Z").parse().unwrap()), text: text.as_bytes().into(), continued: false }
    }

    fn new_ones(delivered: &mut Delivered, pieces: &[Piece]) -> Vec<bool> {
        pieces.iter().map(|piece| delivered.is_new(piece)).collect()
    }

    #[test]
    fn a_resumed_stream_neither_loses_nor_repeats_even_equal_lines_of_one_stamp() {
        let mut delivered = Delivered::default();
        let first = [piece("01.1", "a"), piece("02.5", "same"), piece("02.5", "same"), piece("02.4", "out of order")];
        assert_eq!(new_ones(&mut delivered, &first), [true; 4]);
        assert_eq!(delivered.since(), Some("2026-03-01T09:00:01Z".parse().unwrap()));
        delivered.resume();
        let again = [
            piece("01.1", "a"),
            piece("02.5", "same"),
            piece("02.5", "same"),
            piece("02.4", "out of order"),
            piece("02.5", "same"),
            piece("03", "new"),
        ];
        assert_eq!(new_ones(&mut delivered, &again), [false, false, false, false, true, true]);
        delivered.resume();
        assert_eq!(new_ones(&mut delivered, &again[1..]), [false; 5]);
    }

    #[test]
    fn a_long_line_that_was_cut_in_the_middle_goes_on_where_it_was() {
        let text = format!("2026-03-01T09:00:00Z {}\n", "x".repeat(LONGEST * 2 + 10));
        let (mut delivered, mut assembler) = (Delivered::default(), Assembler::default());
        let before = assembler.push(&text.as_bytes()[..LONGEST + 5_000]);
        assert_eq!(new_ones(&mut delivered, &before), [true]);
        delivered.resume();
        assert_eq!(new_ones(&mut delivered, &assemble(&[text.as_bytes()])), [false, true, true]);
    }

    fn rest(text: &str) -> Piece {
        Piece { log_time: None, text: text.as_bytes().into(), continued: false }
    }

    /// The kubelet keeps a long line in entries, each with a stamp of its own, and some runtimes every line that is printed in pieces.
    /// A stream that begins between two of them begins in the middle of the line, without a stamp.
    #[test]
    fn the_rest_of_a_line_that_was_delivered_is_no_line_when_a_resumed_stream_begins_with_it() {
        let part = |text: &str| Piece { continued: true, ..rest(text) };
        let long = |from: usize| Piece { continued: true, ..piece("00.9", &"x".repeat(LONGEST - from)) };
        let whole = [piece("00.1", "a"), long(0), long(0), piece("00.9", "its end"), piece("04.1", "after")];
        let mut delivered = Delivered::default();
        assert_eq!(new_ones(&mut delivered, &whole), [true; 5]);
        delivered.resume();
        let served = [part("x"), part("x"), rest("its end"), piece("04.1", "after"), piece("04.2", "new"), rest("unlike any line")];
        assert_eq!(new_ones(&mut delivered, &served), [false, false, false, false, true, true]);
        delivered.resume();
        assert_eq!(new_ones(&mut delivered, &[rest("short"), piece("04.1", "after"), piece("05", "next")]), [false, false, true]);
    }

    #[test]
    fn what_has_no_stamp_is_a_line_as_long_as_a_stream_begins_with_the_first_byte() {
        let mut delivered = Delivered::default();
        delivered.resume();
        assert_eq!(new_ones(&mut delivered, &[rest("a"), rest("b"), piece("01", "c")]), [true; 3]);
    }

    #[test]
    fn however_long_the_lines_are_a_resumed_stream_repeats_little_and_little_is_remembered() {
        let (mut delivered, text) = (Delivered::default(), Arc::<[u8]>::from("x".repeat(5_000).into_bytes()));
        for second in 0..10_000_i64 {
            delivered.is_new(&Piece { log_time: Timestamp::from_second(second).ok(), text: text.clone(), continued: false });
        }
        assert_eq!(delivered.since(), Timestamp::from_second(9_998).ok());
        assert!(delivered.counts.len() <= 4_200, "{}", delivered.counts.len());
        delivered.resume();
        assert!(delivered.counts.len() <= 3, "{}", delivered.counts.len());
    }

    #[test]
    fn what_cannot_be_repeated_any_more_is_forgotten() {
        let mut delivered = Delivered::default();
        for second in 0..20_000_i64 {
            let at = Timestamp::from_second(second).unwrap();
            delivered.is_new(&Piece { log_time: Some(at), text: b"x"[..].into(), continued: false });
        }
        assert!(delivered.counts.len() <= 4_200, "{}", delivered.counts.len());
        delivered.resume();
        assert!(delivered.counts.len() <= 3);
    }
}
