//! Regular expressions of one run: in linear time, compiled once, counted by their size. Knows texts; must not know jq's functions.

use std::cell::RefCell;
use std::collections::HashMap;

use jaq_core::ValT as _;
use jaq_json::Val;
use regex::{Captures, Regex, RegexBuilder};

use super::meter::{Made, Meter, Stop, wrong};
use super::values::text;

/// Bytes that a compiled regular expression may have, and steps that 16 letters cost then: a large one looks at each letter many times.
const SIZES: [(usize, u64); 3] = [(1 << 14, 1), (1 << 16, 8), (1 << 18, 64)];
const LETTERS: u64 = 16;
const MOST_FLAGS: usize = 16;
/// Regular expressions that are kept, and bytes that each may use while it searches.
const MOST_PATTERNS: usize = 16;
const SEARCH_SIZE: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Patterns(RefCell<HashMap<String, Option<Pattern>>>);

#[derive(Clone)]
struct Pattern {
    regex: Regex,
    cost: u64,
}

struct Flags {
    is_global: bool,
    skips_empty: bool,
}

impl Meter<'_> {
    fn pattern(&self, pattern: &Val, flags: &Val) -> Result<(Pattern, Flags), Stop> {
        self.tick(pattern).and_then(|()| self.tick(flags))?;
        let flags = if matches!(flags, Val::Null) { "" } else { text(flags)? };
        if flags.len() > MOST_FLAGS {
            return Err(wrong("these are no flags"));
        }
        let pattern = text(pattern)?;
        let mut known = self.patterns.0.borrow_mut();
        let key = format!("{flags}/{pattern}");
        self.spend(1 + pattern.len() as u64 / LETTERS)?;
        if !known.contains_key(&key) {
            self.spend(1000 + 100 * pattern.len() as u64)?;
            if known.len() >= MOST_PATTERNS {
                known.clear();
            }
            known.insert(key.clone(), compile(pattern, flags));
        }
        let found = known.get(&key).cloned().flatten().ok_or_else(|| wrong("this is no regular expression"))?;
        Ok((found, Flags { is_global: flags.contains('g'), skips_empty: flags.contains('n') }))
    }

    /// Counts a search in so many letters.
    fn search(&self, letters: usize, pattern: &Pattern) -> Result<(), Stop> {
        self.spend(1 + letters as u64 * pattern.cost / LETTERS)
    }

    pub(super) fn test(&self, value: &Val, pattern: &Val, flags: &Val) -> Made {
        let value = text(value)?;
        let (pattern, flags) = self.pattern(pattern, flags)?;
        self.search(value.len(), &pattern)?;
        if flags.skips_empty {
            return Ok(Val::from(!self.found(value, &pattern, &flags)?.is_empty()));
        }
        Ok(Val::from(pattern.regex.is_match(value)))
    }

    fn found<'t>(&self, value: &'t str, pattern: &Pattern, flags: &Flags) -> Result<Vec<Captures<'t>>, Stop> {
        let mut found = Vec::new();
        let mut all = pattern.regex.captures_iter(value);
        let mut at = 0;
        loop {
            // Each search may look at the whole rest.
            // It takes all groups along with each letter.
            let groups = pattern.regex.captures_len();
            self.spend(groups as u64)?;
            self.search((value.len() - at).saturating_mul(groups), pattern)?;
            let Some(captures) = all.next() else { return Ok(found) };
            let whole = captures.get_match();
            at = whole.end();
            if flags.skips_empty && whole.is_empty() {
                continue;
            }
            found.push(captures);
            if !flags.is_global {
                return Ok(found);
            }
        }
    }

    /// Returns jq's description of each place where a text matches.
    pub(super) fn matches(&self, value: &Val, pattern: &Val, flags: &Val) -> Made {
        let value = text(value)?;
        let (pattern, flags) = self.pattern(pattern, flags)?;
        let found = self.found(value, &pattern, &flags)?;
        let mut letters = Letters { value, bytes: 0, letters: 0 };
        found.iter().map(|captures| self.described(captures, &pattern, &mut letters)).collect()
    }

    fn described(&self, captures: &Captures<'_>, pattern: &Pattern, letters: &mut Letters<'_>) -> Made {
        let start = letters.until(captures.get_match().start());
        let describe = |at: usize| {
            let Some(part) = captures.get(at) else { return (Val::from(-1_isize), Val::from(0_usize), Val::Null) };
            let mut own = Letters { ..*letters };
            let before = if part.start() >= captures.get_match().start() { own.until(part.start()) } else { start };
            (Val::from(before), Val::from(part.as_str().chars().count()), Val::from(part.as_str().to_owned()))
        };
        let object = |(offset, length, string): (Val, Val, Val), rest: (&str, Val)| {
            let fields = [("offset", offset), ("length", length), ("string", string), rest];
            Val::from_map(fields.map(|(name, value)| (Val::from(name.to_owned()), value)))
        };
        let mut groups = Vec::new();
        for (at, name) in pattern.regex.capture_names().enumerate().skip(1) {
            self.search(captures.get(at).map_or(0, |part| part.end() - captures.get_match().start()), pattern)?;
            groups.push(object(describe(at), ("name", name.map_or(Val::Null, |name| Val::from(name.to_owned()))))?);
        }
        Ok(object(describe(0), ("captures", groups.into_iter().collect()))?)
    }

    /// Returns the parts of a text that a regular expression separates; with `between` also an object of the named groups for each match.
    pub(super) fn parts(&self, value: &Val, pattern: &Val, flags: &Val, between: Between) -> Made {
        let value = text(value)?;
        let (pattern, flags) = self.pattern(pattern, flags)?;
        let (mut parts, mut at) = (Vec::new(), 0);
        for captures in self.found(value, &pattern, &flags)? {
            let whole = captures.get_match();
            parts.push(Val::from(value[at..whole.start()].to_owned()));
            at = whole.end();
            if matches!(between, Between::Groups) {
                let named = pattern.regex.capture_names().flatten().map(|name| {
                    let group = captures.name(name).map_or(Val::Null, |group| Val::from(group.as_str().to_owned()));
                    (Val::from(name.to_owned()), group)
                });
                parts.push(Val::from_map(named)?);
            }
        }
        parts.push(Val::from(value[at..].to_owned()));
        Ok(parts.into_iter().collect())
    }
}

#[derive(Clone, Copy)]
pub(super) enum Between {
    Nothing,
    Groups,
}

/// How many letters there are before a byte; bytes are asked for in order.
struct Letters<'t> {
    value: &'t str,
    bytes: usize,
    letters: usize,
}

impl Letters<'_> {
    fn until(&mut self, byte: usize) -> usize {
        self.letters += self.value[self.bytes..byte].chars().count();
        self.bytes = byte;
        self.letters
    }
}

fn compile(pattern: &str, flags: &str) -> Option<Pattern> {
    let has = |flag: char| flags.contains(flag);
    if !flags.chars().all(|flag| "gixsnp".contains(flag)) {
        return None;
    }
    let mut builder = RegexBuilder::new(pattern);
    builder.dfa_size_limit(SEARCH_SIZE).case_insensitive(has('i')).ignore_whitespace(has('x')).dot_matches_new_line(has('s') || has('p'));
    SIZES.into_iter().find_map(|(size, cost)| builder.size_limit(size).build().ok().map(|regex| Pattern { regex, cost }))
}
