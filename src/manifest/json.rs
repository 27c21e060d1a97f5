//! Reads manifests written as JSON, one object after the other, with the place of every value. The grammar is
//! serde_json's; this walks a text that it has accepted.

use serde_json::{Deserializer, Number, Value};

use super::node::{Entries, EntriesBuilder, Fault, Key, Kind, Mark, Node, Read, Repeat};

/// Returns whether a text is JSON by its look: kubectl decides by the first character too.
pub(super) fn looks_like(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads the documents of a text; null ones are left out.
pub(super) fn read(text: &str) -> Result<Read, Fault> {
    for document in Deserializer::from_str(text).into_iter::<Value>() {
        if let Err(error) = document {
            return Err(fault(text, &error));
        }
    }
    let mut walker = Walker { text, offset: 0, line: 1, counted: 0, column: 1, repeats: Vec::new() };
    let mut documents = Vec::new();
    while walker.peek().is_some() {
        documents.push(walker.node());
    }
    documents.retain(|document| !document.is_null());
    Ok(Read { documents, repeats: walker.repeats })
}

fn fault(text: &str, error: &serde_json::Error) -> Fault {
    let line = error.line().max(1);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let mut offset = (start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let column = text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
    // The parser adds the place to its sentence; ours is at the front.
    let sentence = error.to_string();
    let problem = sentence.split(" at line ").next().unwrap_or(&sentence).to_owned();
    Fault::new(Mark { offset, length: 0, line, column }, problem)
}

/// Walks JSON that is known to be well-formed and nested no deeper than serde_json allows.
struct Walker<'text> {
    text: &'text str,
    offset: usize,
    line: usize,
    /// Up to where `column` is counted: JSON often is one line of megabytes, and nobody counts that twice.
    counted: usize,
    column: usize,
    repeats: Vec<Repeat>,
}

impl<'text> Walker<'text> {
    /// Skips blanks and separators and returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.as_bytes().get(self.offset).copied() {
            match byte {
                b'\n' => {
                    self.line += 1;
                    (self.counted, self.column) = (self.offset + 1, 1);
                }
                b' ' | b'\t' | b'\r' | b',' | b':' => {}
                _ => return Some(byte),
            }
            self.offset += 1;
        }
        None
    }

    fn node(&mut self) -> Node {
        let first = self.peek();
        self.column += self.text[self.counted..self.offset].chars().count();
        self.counted = self.offset;
        let start = Mark { offset: self.offset, length: 0, line: self.line, column: self.column };
        let kind = match first {
            Some(b'{') => Kind::Map(self.map()),
            Some(b'[') => Kind::List(self.list()),
            _ => Kind::Scalar(self.scalar()),
        };
        Node { kind, at: Mark { length: self.offset - start.offset, ..start } }
    }

    fn list(&mut self) -> Vec<Node> {
        self.offset += 1;
        let mut items = Vec::new();
        while self.peek().is_some_and(|byte| byte != b']') {
            items.push(self.node());
        }
        self.offset += 1;
        items
    }

    fn map(&mut self) -> Entries {
        self.offset += 1;
        let mut entries = EntriesBuilder::default();
        while self.peek().is_some_and(|byte| byte != b'}') {
            let key = self.node();
            let key = Key { text: key.as_str().unwrap_or_default().to_owned(), at: key.at };
            let (text, line) = (key.text.clone(), key.at.line);
            let value = self.node();
            if let Some(first) = entries.set(key, value) {
                self.repeats.push(Repeat { key: text, first_line: first.line, line });
            }
        }
        self.offset += 1;
        entries.build()
    }

    fn scalar(&mut self) -> Value {
        let rest = &self.text[self.offset..];
        let length = if rest.starts_with('"') { string_length(rest) } else { word_length(rest) };
        self.offset += length;
        whole(serde_json::from_str(&rest[..length]).unwrap_or_default())
    }
}

fn string_length(rest: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

fn word_length(rest: &str) -> usize {
    rest.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, ',' | ']' | '}' | '{' | '[' | '"'))
        .unwrap_or(rest.len())
        .max(1)
}

/// Makes `1.0` the integer 1, as a number that Go has read and written again.
fn whole(value: Value) -> Value {
    match value.as_f64() {
        // 2^53: up to here every whole float is one integer.
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
            Value::Number(Number::from(number as i64))
        }
        _ => value,
    }
}
