//! From the text of an expression to its terms. Owns the limits of a text, and the sentences about what is no jq.

use jaq_core::load::lex::{Expect, Lexer, StrPart, Tok, Token};
use jaq_core::load::parse::{Parser, Term};

/// Bytes of a text.
const LONGEST: usize = 4096;
/// Brackets in brackets, and signs before signs: whatever makes the reading recursive.
const DEEPEST: usize = 64;
const MOST_SIGNS: usize = 100;

pub(super) fn read(text: &str) -> Result<Term<&str>, String> {
    if text.trim().is_empty() {
        return Err("it is empty; write a path, for example .spec.replicas".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} letters; write several shorter expressions"));
    }
    if nesting(text) > DEEPEST {
        return Err(format!("its brackets are more than {DEEPEST} deep; write it simpler"));
    }
    let tokens = Lexer::new(text).lex().map_err(|errors| match errors.first() {
        Some((Expect::Delim(mark), _)) => format!("it is not jq: a `{mark}` has no end"),
        Some((_, rest)) => unread(rest),
        None => unread(""),
    })?;
    if prefixes(&tokens) > MOST_SIGNS {
        return Err(format!("it has more than {MOST_SIGNS} signs and conditions; write it simpler"));
    }
    Parser::new(&tokens).parse(|parser| parser.term()).map_err(|errors| match errors.first() {
        Some((expected, Some(Token(found, _)))) => format!("it is not jq: `{}` stands where jq expects: {}", few(found), expected.as_str()),
        Some((expected, None)) => format!("it is not jq: it ends where jq expects: {}", expected.as_str()),
        None => unread(""),
    })
}

fn unread(rest: &str) -> String {
    if rest.is_empty() { "it is not jq".to_owned() } else { format!("it is not jq from `{}` on", few(rest)) }
}

pub(super) fn few(text: &str) -> String {
    let start: String = text.chars().take(20).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Counts what may stand before a term any number of times.
fn prefixes(tokens: &[Token<&str>]) -> usize {
    let own = |text: &str| usize::from(matches!(text, "-" | "try" | "if" | "elif" | "def" | "reduce" | "foreach" | "label" | "as"));
    let below = |kind: &Tok<&str>| match kind {
        Tok::Block(inner) => prefixes(inner),
        Tok::Str(parts) => parts
            .iter()
            .map(|part| match part {
                StrPart::Term(token) => prefixes(std::slice::from_ref(token)),
                StrPart::Str(_) | StrPart::Char(_) => 0,
            })
            .sum(),
        Tok::Word | Tok::Var | Tok::Fmt | Tok::Num | Tok::Sym => 0,
    };
    tokens.iter().map(|Token(text, kind)| own(text) + below(kind)).sum()
}
