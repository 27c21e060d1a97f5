//! JSON pointers (RFC 6901), as Argo CD's `jsonPointers` have them. Pure.

use std::fmt;

use serde_json::Value;

use super::{Place, Step};

/// A pointer to one field, not to the whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonPointer {
    text: String,
    tokens: Vec<String>,
}

impl JsonPointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// It is none, or leads to the whole object; a fragment that says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty pointer means the whole object; name a field, for example /spec/replicas".to_owned());
        }
        let Some(rest) = text.strip_prefix('/') else {
            let way_out = text.trim_start_matches(['.', '$']).replace('.', "/");
            return Err(format!("a pointer begins with `/`; write /{way_out}"));
        };
        let tokens = rest.split('/').map(unescaped).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// Returns the field that it leads to in an object; `None` if there is none, which is not an error.
    pub(crate) fn place(&self, document: &Value) -> Option<Place> {
        let mut steps = Vec::new();
        let mut value = document;
        for token in &self.tokens {
            let step = match value {
                Value::Object(_) => Step::Key(token.as_str().into()),
                Value::Array(items) => Step::Index(index(token, items.len())?),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
            value = step.of(value)?;
            steps.push(step);
        }
        Some(Place(steps))
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn unescaped(token: &str) -> Result<String, String> {
    let mut text = String::with_capacity(token.len());
    let mut letters = token.chars();
    while let Some(letter) = letters.next() {
        match (letter, if letter == '~' { letters.next() } else { None }) {
            ('~', Some('0')) => text.push('~'),
            ('~', Some('1')) => text.push('/'),
            ('~', _) => return Err("`~` stands only in `~0` for `~` and `~1` for `/`".to_owned()),
            (letter, _) => text.push(letter),
        }
    }
    Ok(text)
}

/// Returns an index; `-1` is the last item, as in Argo CD.
fn index(token: &str, length: usize) -> Option<usize> {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let is_number =
        !digits.is_empty() && digits.bytes().all(|letter| letter.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let number: usize = digits.parse().ok().filter(|_| is_number)?;
    if token.starts_with('-') { length.checked_sub(number) } else { Some(number) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn r722_a_pointer_leads_to_what_is_there_and_nowhere_else() {
        let document = json!({"spec": {"replicas": 3, "a/b": 1, "m~n": 2, "": 4, "list": [{"x": 1}, {"x": 2}], "01": 5}, "": 6});
        for (pointer, shown) in [
            ("/spec/replicas", Some("spec.replicas")),
            ("/spec/a~1b", Some("spec[\"a/b\"]")),
            ("/spec/m~0n", Some("spec[\"m~n\"]")),
            ("/spec/", Some("spec[\"\"]")),
            ("/", Some("[\"\"]")),
            ("/spec/01", Some("spec.01")),
            ("/spec/list/1/x", Some("spec.list[1].x")),
            ("/spec/list/-1/x", Some("spec.list[1].x")),
            ("/spec/list/-3", None),
            ("/spec/list/-", None),
            ("/spec/list/01", None),
            ("/spec/list/2", None),
            ("/spec/list/99999999999999999999999", None),
            ("/spec/list/x", None),
            ("/spec/nothing/below", None),
            ("/spec/replicas/below", None),
            ("/status", None),
        ] {
            let place = JsonPointer::parse(pointer).unwrap().place(&document);
            assert_eq!(place.map(|place| place.to_string()).as_deref(), shown, "{pointer}");
        }
    }

    #[test]
    fn a_pointer_that_is_none_is_refused_with_what_to_write() {
        for (pointer, word) in [
            ("", "whole object"),
            ("spec/replicas", "/spec/replicas"),
            (".spec.replicas", "/spec/replicas"),
            ("/spec/~2", "~0"),
            ("/spec/a~", "~0"),
        ] {
            let said = JsonPointer::parse(pointer).unwrap_err();
            assert!(said.contains(word), "{pointer}: {said}");
        }
    }
}
