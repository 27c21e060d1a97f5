//! The only reader and writer of manifests as YAML. Reading takes the events of serde-saphyr's parser and gives
//! scalars, keys, merges and repeated keys the meaning that Go's YAML library gives them (architecture.md 5.2,
//! decision 15). Knows nothing of Kubernetes.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};

use super::node::{Entries, EntriesBuilder, Fault, Key, Kind, Mark, Node, Read, Repeat};
use super::scalar;

/// How many values aliases may unfold to in one text. A text of some hundred bytes could otherwise fill the memory.
const UNFOLDED_LIMIT: usize = 250_000;
/// How deep values may be nested; Kubernetes refuses deeper ones too.
const DEPTH_LIMIT: usize = 100;

/// Reads the documents of a text; empty ones are left out.
pub(super) fn read(text: &str) -> Result<Read, Fault> {
    let options = serde_saphyr::granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_LIMIT + 1,
        block_nesting_limit: DEPTH_LIMIT + 1,
        simple_key_max_lookahead: 64 * 1024,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, anchors: HashMap::new(), unfolded: 0, read: Read::default() };
    reader.stream()?;
    Ok(reader.read)
}

/// Writes a value as YAML that Go reads back as the same value.
pub(crate) fn to_yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).expect("JSON values can always be written")
}

struct Anchor {
    node: Node,
    size: usize,
}

struct Reader<'text> {
    parser: Parser<'text, StrInput<'text>>,
    anchors: HashMap<usize, Anchor>,
    unfolded: usize,
    read: Read,
}

impl<'text> Reader<'text> {
    fn stream(&mut self) -> Result<(), Fault> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(()),
                Event::DocumentEnd => self.anchors.clear(),
                Event::StreamStart | Event::DocumentStart(..) => {}
                event => {
                    let node = self.node(event, span, 0)?;
                    if !node.is_null() {
                        self.read.documents.push(node);
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'text>, Span), Fault> {
        match self.parser.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => Err(Fault::new(mark(*error.marker(), *error.marker()), error.info())),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'text>, span: Span, depth: usize) -> Result<Node, Fault> {
        let at = mark(span.start, span.end);
        if depth > DEPTH_LIMIT {
            return Err(Fault::new(at, format!("values are nested more than {DEPTH_LIMIT} levels deep")));
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (Node { kind: Kind::Scalar(scalar_value(&text, style, tag.as_deref(), at)?), at }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (Node { kind: Kind::List(self.list(depth)?), at }, anchor),
            Event::MappingStart(_, anchor, _) => (Node { kind: Kind::Map(self.map(depth)?), at }, anchor),
            Event::Alias(anchor) => return self.unfold(anchor, at),
            _ => return Err(Fault::new(at, "a value is missing here")),
        };
        if anchor > 0 {
            let size = node.size();
            self.anchors.insert(anchor, Anchor { node: node.clone(), size });
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Entries, Fault> {
        let mut entries = EntriesBuilder::default();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(entries.build());
            }
            let is_merge = is_merge(&event);
            let plain = plain_text(&event);
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if is_merge {
                merge(&mut entries, &value)?;
                continue;
            }
            let key = Key { text: key_text(&key, plain.as_deref())?, at: key.at };
            let (text, line) = (key.text.clone(), key.at.line);
            if let Some(first) = entries.set(key, value) {
                self.read.repeats.push(Repeat { key: text, first_line: first.line, line });
            }
        }
    }

    fn unfold(&mut self, id: usize, at: Mark) -> Result<Node, Fault> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(Fault::new(at, "this alias stands inside the value that it repeats"));
        };
        self.unfolded += anchor.size;
        if self.unfolded > UNFOLDED_LIMIT {
            return Err(Fault::new(at, format!("aliases unfold to more than {UNFOLDED_LIMIT} values"))
                .with_help("write the values out, or split the file"));
        }
        Ok(Node { at, ..anchor.node.clone() })
    }
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Mark) -> Result<Value, Fault> {
    let is_typed = |name: &str| matches!(name, "bool" | "int" | "float" | "null");
    let value = match tag {
        Some(tag) => {
            let name = tag.suffix_in_namespace("tag:yaml.org,2002:");
            if name.as_deref().is_some_and(is_typed) && scalar::is_beyond_json(text) {
                return Err(beyond_json(text, at));
            }
            scalar::tagged(name.as_deref().unwrap_or_default(), text).map_err(|problem| Fault::new(at, problem))?
        }
        None if style != ScalarStyle::Plain => Value::String(text.to_owned()),
        None if scalar::is_beyond_json(text) => return Err(beyond_json(text, at)),
        None => scalar::plain(text),
    };
    Ok(value)
}

fn beyond_json(text: &str, at: Mark) -> Fault {
    Fault::new(at, format!("`{text}` is a number that Kubernetes cannot store"))
        .with_help(format!("if it is text, put it in quotes: \"{text}\""))
}

fn is_merge(key: &Event<'_>) -> bool {
    match key {
        Event::Scalar(text, style, _, None) => text == "<<" && *style == ScalarStyle::Plain,
        Event::Scalar(text, _, _, Some(tag)) => text == "<<" && tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() == Some("merge"),
        _ => false,
    }
}

/// Copies the entries of a mapping, or of a list of mappings, to where the merge stands: over the keys before it, as
/// Go does, and under the keys behind it. In a list the first mapping wins.
fn merge(entries: &mut EntriesBuilder, value: &Node) -> Result<(), Fault> {
    match &value.kind {
        Kind::Map(merged) => {
            for (key, node) in merged.iter() {
                let _replaced = entries.set(key.clone(), node.clone());
            }
            Ok(())
        }
        Kind::List(items) => items.iter().rev().try_for_each(|item| match &item.kind {
            Kind::Map(_) => merge(entries, item),
            Kind::Scalar(_) | Kind::List(_) => Err(not_mergeable(item)),
        }),
        Kind::Scalar(_) => Err(not_mergeable(value)),
    }
}

fn not_mergeable(node: &Node) -> Fault {
    Fault::new(node.at, format!("`<<` merges mappings, but this is {}", node.what()))
}

/// Returns the text of a plain scalar without a tag: only there the way it is written decides what it is.
fn plain_text<'text>(event: &Event<'text>) -> Option<Cow<'text, str>> {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, _, None) => Some(text.clone()),
        _ => None,
    }
}

fn key_text(key: &Node, plain: Option<&str>) -> Result<String, Fault> {
    let text = match (&key.kind, plain) {
        (Kind::Scalar(_), Some(plain)) => scalar::plain_key(plain),
        (Kind::Scalar(Value::String(text)), None) => Some(text.clone()),
        (Kind::Scalar(value @ (Value::Bool(_) | Value::Number(_))), None) => Some(value.to_string()),
        (Kind::Scalar(_) | Kind::List(_) | Kind::Map(_), _) => None,
    };
    text.ok_or_else(|| Fault::new(key.at, format!("a key is text, but this one is {}", key.what())))
}

fn mark(start: Marker, end: Marker) -> Mark {
    let offset = start.byte_offset().unwrap_or(0);
    Mark { offset, length: end.byte_offset().unwrap_or(offset).saturating_sub(offset), line: start.line(), column: start.col() + 1 }
}
