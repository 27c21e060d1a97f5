//! Makes objects of documents: expands lists, refuses what cannot be an object (decision 19), remembers where each
//! one came from. Pure.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::error::ManifestError;
use super::node::{Entries, Fault, Kind, Mark, Node, Read};
use super::{Loaded, Manifest, ManifestWarning, json, yaml};
use crate::model::{Object, Origin};

/// Reads the manifests of a text; `file` names it in origins and errors. Lists are expanded, empty documents left
/// out, and what cannot be an object is refused with its place (decision 19).
pub(crate) fn parse(text: &str, file: &str) -> Result<Loaded, ManifestError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, file: file.into(), loaded: Loaded::default() };
    let read = documents(text, file).and_then(|read| reader.read(read));
    read.map_err(|fault| ManifestError::at(fault, file, text))?;
    Ok(reader.loaded)
}

/// Returns whether a text that is no manifest was meant to be one: something in it begins like an object, or apiVersion, kind and metadata are
/// all in it somewhere, which is what Argo CD looks for. Anything else belongs to another tool.
pub(super) fn is_meant(text: &str, file: &str) -> bool {
    const NAMES: [&str; 3] = ["apiVersion", "kind", "metadata"];
    let Ok(read) = documents(text.strip_prefix('\u{feff}').unwrap_or(text), file) else {
        // Not even its structure is known. `kind` alone is a usual word.
        return NAMES.iter().all(|name| text.contains(name))
            || text.contains(NAMES[0])
            || text.lines().any(|line| line.starts_with("kind:"));
    };
    let begins = |document: &Node| {
        let is_named = |metadata: &Node| metadata.get("name").or(metadata.get("generateName")).is_some();
        ["apiVersion", "kind"].iter().any(|name| document.get(name).is_some()) || document.get("metadata").is_some_and(is_named)
    };
    read.documents.iter().any(begins) || NAMES.iter().all(|name| read.documents.iter().any(|document| document.has_key(name)))
}

/// What looks like JSON is read as JSON; a YAML flow mapping begins the same way and is tried second.
fn documents(text: &str, file: &str) -> Result<Read, Fault> {
    if !json::looks_like(text) {
        return yaml::read(text);
    }
    let is_json = Path::new(file).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    json::read(text).or_else(|fault| if is_json { Err(fault) } else { yaml::read(text) })
}

/// What an item without a kind takes from its typed list: in a `ConfigMapList` only the list says it.
struct Inherited {
    api_version: String,
    kind: String,
}

struct Reader<'text> {
    text: &'text str,
    file: Arc<str>,
    loaded: Loaded,
}

impl Reader<'_> {
    fn read(&mut self, read: Read) -> Result<(), Fault> {
        for repeat in read.repeats {
            let message = format!("the key `{}` is repeated (first in line {}); the last one wins", repeat.key, repeat.first_line);
            self.loaded.warnings.push(ManifestWarning { message, origin: Some(self.origin(repeat.line)) });
        }
        read.documents.into_iter().try_for_each(|document| self.document(document, "the document", None))
    }

    fn document(&mut self, node: Node, subject: &str, inherited: Option<&Inherited>) -> Result<(), Fault> {
        let (at, what) = (node.at, node.what());
        match node.kind {
            Kind::Map(entries) if is_list(&entries) => self.items(entries),
            Kind::Map(entries) => self.object(Node { kind: Kind::Map(entries), at }, inherited),
            Kind::Scalar(_) | Kind::List(_) => Err(Fault::new(at, format!("{subject} is {what}, not an object"))
                .with_help("an object is a mapping with apiVersion, kind and metadata")),
        }
    }

    fn items(&mut self, mut list: Entries) -> Result<(), Fault> {
        let Some(items) = list.remove("items") else { return Ok(()) };
        let text = |key: &str| list.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
        let item_kind = text("kind").strip_suffix("List").unwrap_or_default().to_owned();
        let inherited = Inherited { api_version: text("apiVersion"), kind: item_kind };
        let inherited = Some(&inherited).filter(|inherited| !inherited.kind.is_empty());
        match items.kind {
            Kind::List(items) => items.into_iter().try_for_each(|item| self.document(item, "the item", inherited)),
            Kind::Scalar(Value::Null) => Ok(()),
            Kind::Scalar(_) | Kind::Map(_) => {
                let problem = format!("items is {}, not a list", items.what());
                Err(Fault::new(items.at, problem))
            }
        }
    }

    fn object(&mut self, node: Node, inherited: Option<&Inherited>) -> Result<(), Fault> {
        let has_own = node.get("kind").is_some() || inherited.is_none();
        if has_own {
            self.required(&node, "apiVersion")?;
            self.required(&node, "kind")?;
        }
        if let Some(metadata) = node.get("metadata") {
            self.metadata(metadata)?;
        }
        let origin = self.origin(node.at.line);
        let mut value = node.into_value();
        if let Some(inherited) = inherited.filter(|_| !has_own) {
            value["apiVersion"] = Value::String(inherited.api_version.clone());
            value["kind"] = Value::String(inherited.kind.clone());
        }
        self.loaded.manifests.push(Manifest { object: Object::new(value), origin });
        Ok(())
    }

    fn required(&self, object: &Node, field: &str) -> Result<(), Fault> {
        match object.get(field) {
            Some(node) if node.as_str().is_some_and(|text| !text.is_empty()) => Ok(()),
            Some(node) if !node.is_null() && node.as_str().is_none() => Err(self.not_text(node, field)),
            Some(_) | None => Err(Fault::new(object.at, format!("the object has no {field}"))
                .with_help("every object needs apiVersion and kind, for example `apiVersion: v1` and `kind: ConfigMap`")),
        }
    }

    fn metadata(&self, metadata: &Node) -> Result<(), Fault> {
        match &metadata.kind {
            Kind::Map(_) => {}
            Kind::Scalar(Value::Null) => return Ok(()),
            Kind::Scalar(_) | Kind::List(_) => {
                return Err(Fault::new(metadata.at, format!("metadata is {}, not a mapping", metadata.what())));
            }
        }
        // An empty namespace or generateName is what templates leave behind; an empty name is a mistake.
        for (field, may_be_null) in [("name", false), ("generateName", true), ("namespace", true)] {
            if let Some(node) = metadata.get(field)
                && node.as_str().is_none()
                && !(may_be_null && node.is_null())
            {
                return Err(self.not_text(node, &format!("metadata.{field}")));
            }
        }
        ["labels", "annotations"].iter().try_for_each(|field| self.texts(metadata, field))
    }

    fn texts(&self, metadata: &Node, field: &str) -> Result<(), Fault> {
        let Some(node) = metadata.get(field).filter(|node| !node.is_null()) else { return Ok(()) };
        let Kind::Map(entries) = &node.kind else {
            return Err(Fault::new(node.at, format!("metadata.{field} is {}, not a mapping", node.what())));
        };
        match entries.iter().find(|(_, value)| value.as_str().is_none()) {
            Some((key, value)) => Err(self.not_text(value, &format!("metadata.{field}[{}]", key.text))),
            None => Ok(()),
        }
    }

    /// Names a value that has to be text, as it is written and as it was read.
    fn not_text(&self, node: &Node, field: &str) -> Fault {
        match &node.kind {
            Kind::Scalar(Value::Null) => Fault::new(node.at, format!("{field} is empty; it has to be text"))
                .with_help("write a value in quotes, or leave the line out"),
            Kind::Scalar(_) => {
                let written = self.written(node.at);
                Fault::new(node.at, format!("{field} is `{written}`, which is read as {}; it has to be text", node.what()))
                    .with_help(format!("put it in quotes: \"{written}\""))
            }
            Kind::List(_) | Kind::Map(_) => Fault::new(node.at, format!("{field} is {}; it has to be text", node.what())),
        }
    }

    fn written(&self, at: Mark) -> &str {
        self.text.get(at.offset..at.offset + at.length).unwrap_or_default().trim()
    }

    fn origin(&self, line: usize) -> Origin {
        Origin { file: Arc::clone(&self.file), line }
    }
}

/// A `List`, or a typed list with its items.
fn is_list(entries: &Entries) -> bool {
    let kind = entries.get("kind").and_then(Node::as_str).unwrap_or_default();
    let has_items = || entries.get("items").is_some_and(|items| matches!(items.kind, Kind::List(_)));
    kind == "List" || (kind.ends_with("List") && has_items())
}
