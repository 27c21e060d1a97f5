//! Patterns for names (spec R1401): `*` stands for any text, `?` for one character, `[a-z]` and `[!a-z]` for one of a set, `{a,b}` for one
//! of several texts, and `\` takes the next character as it is.

use std::collections::BTreeSet;
use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use serde::{Serialize, Serializer};

/// A pattern that can be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Is(char),
    Any,
    Text,
    OneOf { ranges: Vec<(char, char)>, is_negated: bool },
    Either(Vec<Vec<Self>>),
}

/// How deep braces may stand in braces; deeper ones are a mistake or an attack on the stack.
const DEPTH: usize = 8;

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A bracket, a brace or a backslash has no end; a fragment that says which.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty pattern matches no name; write `*` for all".to_owned());
        }
        let mut letters = Letters { rest: text.chars().peekable(), text };
        let pieces = letters.pieces(0)?;
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// Returns whether a whole name is matched.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        ends(&self.pieces, &name, &[0].into()).contains(&name.len())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Returns where a match may end that begins at one of these places. All places at once, so that no pattern takes exponential time.
fn ends(pieces: &[Piece], name: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut places = starts.clone();
    for piece in pieces {
        places = match piece {
            Piece::Text => places.first().map(|first| (*first..=name.len()).collect()).unwrap_or_default(),
            Piece::Either(ways) => ways.iter().flat_map(|way| ends(way, name, &places)).collect(),
            Piece::Is(_) | Piece::Any | Piece::OneOf { .. } => {
                places.into_iter().filter(|at| name.get(*at).is_some_and(|letter| piece.takes(*letter))).map(|at| at + 1).collect()
            }
        };
    }
    places
}

impl Piece {
    fn takes(&self, letter: char) -> bool {
        match self {
            Self::Is(own) => *own == letter,
            Self::Any => true,
            Self::OneOf { ranges, is_negated } => ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter)) != *is_negated,
            Self::Text | Self::Either(_) => false,
        }
    }
}

/// A pattern being read.
struct Letters<'a> {
    rest: Peekable<Chars<'a>>,
    text: &'a str,
}

impl Letters<'_> {
    /// Reads up to the end, or in braces up to a comma or the closing brace.
    fn pieces(&mut self, depth: usize) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        while let Some(letter) = self.rest.next_if(|letter| depth == 0 || !matches!(letter, ',' | '}')) {
            pieces.push(match letter {
                '*' => Piece::Text,
                '?' => Piece::Any,
                '[' => self.set()?,
                '{' => self.either(depth + 1)?,
                '\\' => Piece::Is(self.rest.next().ok_or_else(|| self.unfinished("\\"))?),
                other => Piece::Is(other),
            });
        }
        Ok(pieces)
    }

    fn either(&mut self, depth: usize) -> Result<Piece, String> {
        if depth > DEPTH {
            return Err(format!("the pattern `{}` has braces in braces more than {DEPTH} deep; write it simpler", self.text));
        }
        let mut ways = vec![self.pieces(depth)?];
        loop {
            match self.rest.next() {
                Some(',') => ways.push(self.pieces(depth)?),
                Some('}') => return Ok(Piece::Either(ways)),
                Some(_) | None => return Err(self.unfinished("{")),
            }
        }
    }

    fn set(&mut self) -> Result<Piece, String> {
        let is_negated = self.rest.next_if_eq(&'!').is_some();
        let mut ranges = Vec::new();
        loop {
            let first = match self.rest.next() {
                Some(']') if ranges.is_empty() => {
                    return Err(format!("the pattern `{}` has an empty `[]`; name a character in it", self.text));
                }
                Some(']') => return Ok(Piece::OneOf { ranges, is_negated }),
                Some(letter) => letter,
                None => return Err(self.unfinished("[")),
            };
            let last = match self.rest.next_if_eq(&'-') {
                Some(_) => self.rest.next().filter(|letter| *letter != ']').ok_or_else(|| self.unfinished("["))?,
                None => first,
            };
            if first > last {
                return Err(format!("the pattern `{}` has a range that ends before it begins: {first}-{last}", self.text));
            }
            ranges.push((first, last));
        }
    }

    fn unfinished(&self, mark: &str) -> String {
        format!("the pattern `{}` has a `{mark}` without its end; write `\\{mark}` for the character itself", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t163_r1402_patterns_match_whole_names() {
        for (pattern, name, matches) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("shop", "shop", true),
            ("shop", "shop-2", false),
            ("shop-*", "shop-", true),
            ("*-prod-*", "eu-prod-1", true),
            ("sh?p", "shöp", true),
            ("sh?p", "shp", false),
            ("web-[0-9]", "web-7", true),
            ("web-[0-9]", "web-x", false),
            ("web-[!0-9x]", "web-x", false),
            ("web-[!0-9x]", "web-y", true),
            ("{shop,web-*}-eu", "web-2-eu", true),
            ("{shop,web-*}-eu", "shop-us", false),
            ("{a,{b,c}d}", "cd", true),
            ("{,x}a", "a", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("a,b}", "a,b}", true),
            ("https://*:6443", "https://10.0.0.1:6443", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(Glob::parse(pattern).unwrap().matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_with_what_is_wrong() {
        for (pattern, word) in [
            ("", "`*`"),
            ("a[b", "`[`"),
            ("a[", "`[`"),
            ("[]", "empty"),
            ("[z-a]", "z-a"),
            ("[a-]", "`[`"),
            ("{a,b", "`{`"),
            ("a\\", "`\\`"),
            (&"{".repeat(50_000), "deep"),
        ] {
            let said = Glob::parse(pattern).unwrap_err();
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn no_pattern_takes_exponential_time() {
        let pattern = Glob::parse(&format!("{}b", "*a{*,a}".repeat(40))).unwrap();
        assert!(!pattern.matches(&"a".repeat(300)));
        assert!(pattern.matches(&format!("{}b", "a".repeat(300))));
    }
}
