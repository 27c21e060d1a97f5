//! Cuts Lua text into words, so that a word inside a text or a comment is none. Owns where words begin and end; knows no grammar.

/// A word of a program: a name, a keyword, a number, a text or a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    pub(super) is_name: bool,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Returns the words of a program, without comments. A text without its end goes to the end of the program; the compiler says what is wrong.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (length, is_name) = match rest[0] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if rest.starts_with(b"--") => {
                at += comment(rest);
                continue;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (word(rest), true),
            b'0'..=b'9' => (number(rest), false),
            b'"' | b'\'' | b'`' => (quoted(rest), false),
            b'[' => (long(rest).unwrap_or(1), false),
            b':' if rest.starts_with(b"::") => (2, false),
            _ => (letter(rest), false),
        };
        found.push(Token { text: &source[at..at + length], start: at, is_name });
        at += length;
    }
    found
}

fn word(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// A number ends before `..`, which is an operator.
fn number(rest: &[u8]) -> usize {
    let is_inside = |at: usize| match rest[at] {
        b'.' => rest.get(at + 1) != Some(&b'.') && rest[at - 1] != b'.',
        byte => byte.is_ascii_alphanumeric() || byte == b'_',
    };
    1 + (1..rest.len()).take_while(|at| is_inside(*at)).count()
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 1,
            // An unfinished text ends with its line.
            b'\n' if rest[0] != b'`' => return at,
            byte if byte == rest[0] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    rest.len()
}

/// Returns the length of `[[…]]` or `[==[…]==]`, if this is one.
fn long(rest: &[u8]) -> Option<usize> {
    let level = rest[1..].iter().take_while(|byte| **byte == b'=').count();
    if rest.get(level + 1) != Some(&b'[') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b']').chain(std::iter::repeat_n(b'=', level)).chain([b']']).collect();
    let end = rest.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| end + close.len()))
}

fn comment(rest: &[u8]) -> usize {
    let block = if rest.get(2) == Some(&b'[') { long(&rest[2..]) } else { None };
    block.map_or_else(|| rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()), |length| length + 2)
}

/// Returns the length of the letter, which may have several bytes.
fn letter(rest: &[u8]) -> usize {
    1 + rest[1..].iter().take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_comments_are_one_word_or_none() {
        for (source, words) in [
            ("goto x -- goto y\n::x::", vec!["goto", "x", "::", "x", "::"]),
            ("a='goto \\' x' b", vec!["a", "=", "'goto \\' x'", "b"]),
            ("--[==[ ]] goto x ]==] y", vec!["y"]),
            ("s = [=[ ]] ::x:: ]=]..[[z]]", vec!["s", "=", "[=[ ]] ::x:: ]=]", ".", ".", "[[z]]"]),
            ("t[i[1]]", vec!["t", "[", "i", "[", "1", "]", "]"]),
            ("1..2e5..0x1F", vec!["1", ".", ".", "2e5", ".", ".", "0x1F"]),
            ("1.5 é'ü'", vec!["1.5", "é", "'ü'"]),
            ("'open\ngoto x", vec!["'open", "goto", "x"]),
            ("--[[ open goto x", vec![]),
            ("'\\", vec!["'\\"]),
            ("[==", vec!["[", "=", "="]),
        ] {
            assert_eq!(tokens(source).iter().map(|token| token.text).collect::<Vec<_>>(), words, "{source}");
        }
    }
}
