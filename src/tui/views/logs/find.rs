//! What a person looks for in a log or a diff: a part of a line. Capitals matter as soon as one is typed.

use std::ops::Range;

use crate::tui::clean;

/// A text to find. An empty one is found nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::tui::views) struct Needle {
    text: String,
    any_case: bool,
}

impl Needle {
    /// Makes a needle of what was typed.
    pub(in crate::tui::views) fn new(text: &str) -> Self {
        Self { any_case: !text.chars().any(char::is_uppercase), text: text.to_owned() }
    }

    /// Returns what was typed.
    pub(in crate::tui::views) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether there is nothing to find.
    pub(in crate::tui::views) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns whether a line has it.
    pub(in crate::tui::views) fn is_in(&self, line: &str) -> bool {
        self.find(line, 0).is_some()
    }

    /// Returns the first place at or after a byte offset; the offset must be between two characters.
    pub(in crate::tui::views) fn find(&self, line: &str, from: usize) -> Option<Range<usize>> {
        let rest = line.get(from..)?;
        if self.is_empty() {
            return None;
        }
        let found = if !self.any_case {
            rest.find(&self.text).map(|start| start..start + self.text.len())
        } else if self.text.is_ascii() {
            find_ascii(rest.as_bytes(), self.text.as_bytes())
        } else {
            rest.char_indices().find_map(|(start, _)| folded_end(&rest[start..], &self.text).map(|length| start..start + length))
        }?;
        Some(found.start + from..found.end + from)
    }

    /// Returns the places that a part of a line shows, also those that begin or end outside of it.
    pub(in crate::tui::views) fn places_in<'a>(&'a self, line: &'a str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> + 'a {
        // A folded character may have another length than the typed one, at most three times as much.
        let reach = self.text.len() * 3;
        let mut from = clean::char_end_before(line, part.start.saturating_sub(reach));
        std::iter::from_fn(move || {
            let stop = clean::char_start_after(line, part.end.saturating_add(reach));
            let found = self.find(&line[..stop], from)?;
            from = found.end;
            Some(found)
        })
        .filter(move |found| found.end > part.start && found.start < part.end)
    }
}

fn find_ascii(line: &[u8], needle: &[u8]) -> Option<Range<usize>> {
    let first = needle.first()?.to_ascii_lowercase();
    let last = line.len().checked_sub(needle.len())?;
    let is_here =
        |start: &usize| line[*start].to_ascii_lowercase() == first && line[*start..*start + needle.len()].eq_ignore_ascii_case(needle);
    (0..=last).find(is_here).map(|start| start..start + needle.len())
}

/// Returns how many bytes of `line` read as `needle` when case is ignored.
fn folded_end(line: &str, needle: &str) -> Option<usize> {
    let mut wanted = needle.chars().flat_map(char::to_lowercase);
    let mut next = wanted.next();
    for (offset, letter) in line.char_indices() {
        let Some(_) = next else { return Some(offset) };
        for folded in letter.to_lowercase() {
            if next != Some(folded) {
                return None;
            }
            next = wanted.next();
        }
    }
    next.is_none().then_some(line.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_letters_find_capitals_and_capitals_find_themselves() {
        assert_eq!(Needle::new("timeout").find("i/o Timeout", 0), Some(4..11));
        assert_eq!(Needle::new("Timeout").find("i/o timeout", 0), None);
        assert_eq!(Needle::new("größe").find("die GRÖSSE, die GRÖßE", 0), Some(17..24));
        assert_eq!(Needle::new("").find("anything", 0), None);
    }

    #[test]
    fn all_places_of_a_part_are_found_even_at_its_edges() {
        let needle = Needle::new("abc");
        assert_eq!(needle.places_in("abcabcxabc", 1..4).collect::<Vec<_>>(), [0..3, 3..6]);
        assert_eq!(needle.places_in("abcabcxabc", 6..7).count(), 0);
    }

    proptest! {
        #[test]
        fn places_lie_between_characters(line in "[aAäÄßİ世 ]{0,12}", typed in "[aäßi世]{1,3}", from in 0_usize..12) {
            let part = clean::char_end_before(&line, from)..line.len();
            for found in Needle::new(&typed).places_in(&line, part) {
                prop_assert!(line.get(found).is_some());
            }
        }
    }
}
