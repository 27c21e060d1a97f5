//! Whether an object fits the definition of its kind where the API server cannot be asked, because the definition comes, or changes, with the
//! same sync. Reads the structural schema and says what is certain alone: fields that do not exist, required ones that are missing, values of
//! another type, and values that are none of those allowed. Patterns, bounds, formats and expressions are left to the server.

use std::fmt;

use serde_json::{Map, Value};

use super::Plan;
use crate::model::{Definition, Gvk, Object};

/// Deeper than any object that a server takes.
const DEEPEST: usize = 64;
/// Whoever has as many has another definition in mind.
const MOST: usize = 20;
/// What every object has, and every object inside of another one.
const COMMON: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// What does not fit: `spec.size is a string and has to be an integer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    path: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Unknown,
    Missing,
    Type { wanted: String, found: &'static str },
    NotAllowed { allowed: String },
}

impl Misfit {
    /// Returns whether it is a field that nobody knows: without validation such a one is left out.
    pub(crate) fn is_unknown_field(&self) -> bool {
        self.what == What::Unknown
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Unknown => write!(f, "{} does not exist", self.path),
            What::Missing => write!(f, "{} is missing", self.path),
            What::Type { wanted, found } => write!(f, "{} is {} and has to be {}", self.path, with_article(found), with_article(wanted)),
            What::NotAllowed { allowed } => write!(f, "{} has to be one of {allowed}", self.path),
        }
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}

const STATUS: &str = "status";

/// What a definition says of one kind and version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schema<'a> {
    tree: &'a Value,
    /// The status is written by a path of its own: what a manifest says of it is dropped before anything is checked.
    drops_status: bool,
}

/// Returns the schema that a plan's definition has for a kind and version; `None` if no definition of the plan says one.
pub(crate) fn of_plan<'a>(plan: &'a Plan, gvk: &Gvk) -> Option<Schema<'a>> {
    let mut targets = plan.tasks.iter().filter(|task| task.id.key.is_definition()).filter_map(|task| task.target.as_ref());
    targets.find_map(|target| of_definition(target, gvk))
}

/// Returns the schema that a definition has for a kind and version; `None` if it is another kind's, or says none.
pub(crate) fn of_definition<'a>(definition: &'a Object, gvk: &Gvk) -> Option<Schema<'a>> {
    Definition::of(definition).filter(|own| own.group == gvk.group && own.kind == gvk.kind)?;
    let versions = definition.wire().pointer("/spec/versions")?.as_array()?;
    let version = versions.iter().find(|version| version.get("name").and_then(Value::as_str) == Some(&*gvk.version))?;
    let drops_status = version.pointer("/subresources/status").is_some_and(Value::is_object);
    let tree = version.pointer("/schema/openAPIV3Schema").filter(|schema| schema.is_object())?;
    Some(Schema { tree, drops_status })
}

/// Returns what of an object does not fit, the first few.
pub(crate) fn misfits(schema: Schema<'_>, object: &Value) -> Vec<Misfit> {
    let mut check = Check { found: Vec::new(), depth: 0 };
    let Some(fields) = object.as_object() else { return check.found };
    if !schema.drops_status {
        check.fields(schema.tree, "", fields, true);
        return check.found;
    }
    let kept = fields.iter().filter(|(name, _)| *name != STATUS).map(|(name, value)| (name.clone(), value.clone())).collect();
    check.fields(schema.tree, "", &kept, true);
    check.found.retain(|misfit| misfit.path != STATUS);
    check.found
}

struct Check {
    found: Vec<Misfit>,
    depth: usize,
}

impl Check {
    fn add(&mut self, path: &str, what: What) {
        if self.found.len() < MOST {
            self.found.push(Misfit { path: path.to_owned(), what });
        }
    }

    fn value(&mut self, schema: &Value, path: &str, value: &Value) {
        // A null is taken away where it may not stay; what is in its place then is told as missing.
        if value.is_null() || !schema.is_object() || self.depth > DEEPEST || self.found.len() >= MOST {
            return;
        }
        if let Some(what) = wrong_type(schema, value) {
            return self.add(path, what);
        }
        if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
            let words: Vec<String> = allowed.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
            return self.add(path, What::NotAllowed { allowed: words.join(", ") });
        }
        self.depth += 1;
        match value {
            Value::Object(fields) => self.fields(schema, path, fields, schema["x-kubernetes-embedded-resource"] == true),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.value(&schema["items"], &format!("{path}[{at}]"), item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        self.depth -= 1;
    }

    fn fields(&mut self, schema: &Value, path: &str, fields: &Map<String, Value>, is_resource: bool) {
        let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let declared = schema["properties"].as_object();
        let has_default = |name: &str| declared.and_then(|all| all.get(name)).is_some_and(|own| own.get("default").is_some());
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if fields.get(name).is_none_or(Value::is_null) && !has_default(name) {
                self.add(&join(name), What::Missing);
            }
        }
        let others = &schema["additionalProperties"];
        let is_open = schema["x-kubernetes-preserve-unknown-fields"] == true || others == true || others.is_object();
        for (name, value) in fields.iter().filter(|(name, _)| !(is_resource && COMMON.contains(&name.as_str()))) {
            match declared.and_then(|all| all.get(name)) {
                Some(own) => self.value(own, &join(name), value),
                None if is_open => self.value(others, &join(name), value),
                // Without any properties it is not certain what the server makes of it.
                None if declared.is_some() => self.add(&join(name), What::Unknown),
                None => {}
            }
        }
    }
}

fn wrong_type(schema: &Value, value: &Value) -> Option<What> {
    let wanted = schema["type"].as_str().filter(|_| schema["x-kubernetes-int-or-string"] != true)?;
    let found = match value {
        Value::Null => return None,
        Value::Bool(_) => "boolean",
        // 1.0 is an integer, too.
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = wanted == found || (wanted == "number" && found == "integer");
    let is_known = ["boolean", "integer", "number", "string", "array", "object"].contains(&wanted);
    (is_known && !fits).then(|| What::Type { wanted: wanted.to_owned(), found })
}

#[cfg(test)]
mod tests;
