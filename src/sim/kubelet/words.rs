//! Splits a shell script into words and operators, as far as the scripts of manifests need it: quotes, escapes,
//! comments, variables. What it cannot follow makes the whole script unreadable, and the container plays the usual run.

/// A piece of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word. Substitutions are filled in; `{{ }}` fields in it are ours if `is_template`.
    Word { text: String, is_template: bool, is_quoted: bool },
    /// `;`, newline, `&&`, `||`, `|`.
    Operator(&'static str),
    /// `>`, `>>`, `2>` and the like; the target follows as a word.
    Redirect { of_errors: bool },
}

/// Looks a variable up.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Splits a script; none if it uses what is not understood here.
pub(super) fn split(script: &str, variable: &Lookup<'_>) -> Option<Vec<Token>> {
    let mut reader = Reader { rest: script, variable, tokens: Vec::new(), word: None };
    while !reader.rest.is_empty() {
        reader.step()?;
    }
    reader.end_word();
    Some(reader.tokens)
}

struct Reader<'a> {
    rest: &'a str,
    variable: &'a Lookup<'a>,
    tokens: Vec<Token>,
    word: Option<(String, bool, bool)>,
}

const OPERATORS: [&str; 6] = ["&&", "||", ";", "\n", "|", "&"];

impl<'a> Reader<'a> {
    fn step(&mut self) -> Option<()> {
        if let Some(operator) = OPERATORS.into_iter().find(|operator| self.rest.starts_with(operator)) {
            self.end_word();
            self.rest = &self.rest[operator.len()..];
            // Neither jobs in the background nor case arms are followed.
            if operator == "&" || (operator == ";" && self.rest.starts_with(';')) {
                return None;
            }
            self.tokens.push(Token::Operator(operator));
            return Some(());
        }
        let first = self.rest.chars().next()?;
        match first {
            ' ' | '\t' | '\r' => {
                self.end_word();
                self.skip(1);
            }
            '#' if self.word.is_none() => self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]),
            '\'' => self.single_quoted()?,
            '"' => self.double_quoted()?,
            '\\' => self.escape(),
            '$' => self.expand()?,
            '>' => self.redirect(),
            '`' | '(' | ')' | '<' => return None,
            other => {
                self.push(other);
                self.skip(other.len_utf8());
            }
        }
        Some(())
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn word(&mut self) -> &mut (String, bool, bool) {
        self.word.get_or_insert_with(Default::default)
    }

    fn push(&mut self, letter: char) {
        self.word().0.push(letter);
    }

    fn end_word(&mut self) {
        if let Some((text, is_template, is_quoted)) = self.word.take() {
            self.tokens.push(Token::Word { text, is_template, is_quoted });
        }
    }

    fn escape(&mut self) {
        self.skip(1);
        let Some(next) = self.rest.chars().next() else { return };
        if next != '\n' {
            self.push(next);
        }
        self.skip(next.len_utf8());
    }

    fn single_quoted(&mut self) -> Option<()> {
        let end = self.rest[1..].find('\'')? + 1;
        let inner = &self.rest[1..end];
        let word = self.word();
        word.0.push_str(inner);
        word.2 = true;
        self.skip(end + 1);
        Some(())
    }

    fn double_quoted(&mut self) -> Option<()> {
        self.skip(1);
        self.word().2 = true;
        loop {
            let next = self.rest.chars().next()?;
            match next {
                '"' => {
                    self.skip(1);
                    return Some(());
                }
                '\\' => {
                    let escaped = self.rest[1..].chars().next()?;
                    if matches!(escaped, '"' | '\\' | '$' | '`') {
                        self.push(escaped);
                    } else if escaped != '\n' {
                        self.push('\\');
                        self.push(escaped);
                    }
                    self.skip(1 + escaped.len_utf8());
                }
                '$' => self.expand()?,
                '`' => return None,
                other => {
                    self.push(other);
                    self.skip(other.len_utf8());
                }
            }
        }
    }

    /// `$NAME`, `${NAME}`, and the few commands whose output can be imagined.
    fn expand(&mut self) -> Option<()> {
        let rest = &self.rest[1..];
        if rest.starts_with("((") {
            self.skip(1 + rest.find("))")? + 2);
            self.push('0');
            return Some(());
        }
        if rest.starts_with('(') {
            let end = rest.find(')')?;
            self.substitute(&rest[1..end])?;
            self.skip(end + 2);
            return Some(());
        }
        if let Some(braced) = rest.strip_prefix('{') {
            let end = braced.find('}')?;
            let (name, default) = braced[..end].split_once(":-").unwrap_or((&braced[..end], ""));
            let value = (self.variable)(name).unwrap_or_else(|| default.to_owned());
            self.word().0.push_str(&value);
            self.skip(end + 3);
            return Some(());
        }
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        if end == 0 {
            self.push('$');
            self.skip(1);
        } else {
            let value = (self.variable)(&rest[..end]).unwrap_or_default();
            self.word().0.push_str(&value);
            self.skip(end + 1);
        }
        Some(())
    }

    fn substitute(&mut self, command: &str) -> Option<()> {
        if command.contains(['(', '`']) {
            return None;
        }
        let parts: Vec<&str> = command.split_whitespace().collect();
        let word = self.word();
        match parts.as_slice() {
            ["date", ..] => {
                word.0.push_str("{{ts}}");
                word.1 = true;
            }
            ["hostname"] => {
                word.0.push_str("{{name}}");
                word.1 = true;
            }
            ["seq", numbers @ ..] => {
                let bounds: Vec<u32> = numbers.iter().map_while(|number| number.parse().ok()).collect();
                let (first, last) = match bounds.as_slice() {
                    [last] => (1, *last),
                    [first, last] => (*first, *last),
                    _ => return None,
                };
                let items: Vec<String> = (first..=last.min(first.saturating_add(10_000))).map(|number| number.to_string()).collect();
                word.0.push_str(&items.join(" "));
            }
            _ => {}
        }
        Some(())
    }

    fn redirect(&mut self) {
        let of_errors = matches!(&self.word, Some((text, ..)) if text == "2");
        if of_errors || matches!(&self.word, Some((text, ..)) if text == "1") {
            self.word = None;
        }
        self.end_word();
        self.rest = self.rest.trim_start_matches('>');
        // In `>&2` the target is a descriptor, not a job in the background.
        if let Some(descriptor) = self.rest.strip_prefix('&') {
            self.tokens.push(Token::Redirect { of_errors });
            self.word().0.push('&');
            self.rest = descriptor;
            return;
        }
        self.tokens.push(Token::Redirect { of_errors });
    }
}
