//! A document as a tree that remembers where each value stands. Both readers, YAML and JSON, make it; the checks
//! walk it; then it becomes plain JSON.

use serde_json::{Map, Value};

/// A place in a text: bytes for the caret, line and column (from 1) for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and its place. For a mapping that is its first key, or its opening brace.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) at: Mark,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Entries),
}

/// The entries of a mapping in the order of their first appearance; keys do not repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    entries: Vec<(Key, Node)>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) at: Mark,
}

/// A key that was written again; the last one counts (decision 15).
#[derive(Clone, Debug)]
pub(super) struct Repeat {
    pub(super) key: String,
    pub(super) first_line: usize,
    pub(super) line: usize,
}

/// What is wrong, and where.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) at: Mark,
    pub(super) problem: String,
    pub(super) help: Option<String>,
}

/// What a reader finds in a text.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) documents: Vec<Node>,
    pub(super) repeats: Vec<Repeat>,
}

impl Fault {
    pub(super) fn new(at: Mark, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into(), help: None }
    }

    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Node {
    /// Returns the value of a key, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.get(key),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// Returns whether a key is here or anywhere below.
    pub(super) fn has_key(&self, name: &str) -> bool {
        match &self.kind {
            Kind::Map(entries) => entries.iter().any(|(key, node)| key.text == name || node.has_key(name)),
            Kind::List(items) => items.iter().any(|item| item.has_key(name)),
            Kind::Scalar(_) => false,
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(value) => value.as_str(),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Value::Null))
    }

    /// Returns what the value is, as a word with its article.
    pub(super) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(Value::Null) => "null",
            Kind::Scalar(Value::Bool(_)) => "a boolean",
            Kind::Scalar(Value::Number(_)) => "a number",
            Kind::Scalar(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// Returns how many values the tree has.
    pub(super) fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar(_) => 0,
            Kind::List(items) => items.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum(),
        }
    }

    pub(super) fn into_value(self) -> Value {
        match self.kind {
            Kind::Scalar(value) => value,
            Kind::List(items) => items.into_iter().map(Self::into_value).collect(),
            Kind::Map(entries) => {
                Value::Object(entries.entries.into_iter().map(|(key, node)| (key.text, node.into_value())).collect::<Map<_, _>>())
            }
        }
    }
}

impl Entries {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Key, Node)> {
        self.entries.iter()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
    }

    /// Takes out the value of a key.
    pub(super) fn remove(&mut self, key: &str) -> Option<Node> {
        let index = self.entries.iter().position(|(found, _)| found.text == key)?;
        Some(self.entries.remove(index).1)
    }
}

/// Collects the entries of one mapping. Finding a repeated key stays cheap in mappings with thousands of keys.
#[derive(Default)]
pub(super) struct EntriesBuilder {
    entries: Vec<(Key, Node)>,
    index: std::collections::HashMap<String, usize>,
}

/// Up to this size a mapping is searched; above it is indexed.
const SEARCHED: usize = 16;

impl EntriesBuilder {
    /// Sets a key and returns the place of the key that it replaces.
    pub(super) fn set(&mut self, key: Key, node: Node) -> Option<Mark> {
        if let Some(index) = self.find(&key.text) {
            let old = std::mem::replace(&mut self.entries[index], (key, node));
            return Some(old.0.at);
        }
        if self.entries.len() == SEARCHED {
            self.index = self.entries.iter().enumerate().map(|(index, (key, _))| (key.text.clone(), index)).collect();
        }
        if self.entries.len() >= SEARCHED {
            self.index.insert(key.text.clone(), self.entries.len());
        }
        self.entries.push((key, node));
        None
    }

    pub(super) fn build(self) -> Entries {
        Entries { entries: self.entries }
    }

    fn find(&self, key: &str) -> Option<usize> {
        if self.entries.len() > SEARCHED {
            self.index.get(key).copied()
        } else {
            self.entries.iter().position(|(found, _)| found.text == key)
        }
    }
}
