//! Label and field selectors: parsing with the server's error texts, and matching against objects.

use serde_json::Value;

use super::registry::Resource;
use super::status::ApiError;

/// Which objects a list or a watch is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

#[derive(Clone, Debug, PartialEq)]
enum Requirement {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
struct FieldRequirement {
    path: String,
    value: String,
    is_equal: bool,
}

impl Selector {
    /// Reads both selectors of a request.
    pub(super) fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, ApiError> {
        Ok(Self { labels: parse_labels(labels)?, fields: parse_fields(resource, fields)? })
    }

    /// Narrows the selector to one name.
    pub(super) fn named(mut self, name: &str) -> Self {
        self.fields.push(FieldRequirement { path: "metadata.name".to_owned(), value: name.to_owned(), is_equal: true });
        self
    }

    /// Tells whether everything is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Tells whether an object is meant.
    pub(super) fn matches(&self, object: &Value) -> bool {
        self.labels.iter().all(|wanted| wanted.matches(&object["metadata"]["labels"]))
            && self.fields.iter().all(|wanted| wanted.matches(object))
    }
}

/// Tells whether a `LabelSelector` object selects a set of labels. A missing or empty one selects nothing here.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let exact = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let is_empty = exact.clone().next().is_none() && expressions.clone().next().is_none();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    !is_empty
        && exact.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.into_iter().all(|expression| {
            let key = text(&expression["key"]);
            let values = expression["values"].as_array().into_iter().flatten().map(text).collect();
            match expression["operator"].as_str() {
                Some("In") => Requirement::In(key, values).matches(labels),
                Some("NotIn") => Requirement::NotIn(key, values).matches(labels),
                Some("Exists") => Requirement::Exists(key).matches(labels),
                Some("DoesNotExist") => Requirement::Absent(key).matches(labels),
                _ => false,
            }
        })
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let found = |key: &str| labels.get(key).and_then(Value::as_str);
        match self {
            Self::Exists(key) => found(key).is_some(),
            Self::Absent(key) => found(key).is_none(),
            Self::In(key, values) => found(key).is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Self::NotIn(key, values) => found(key).is_none_or(|value| values.iter().all(|wanted| wanted != value)),
        }
    }
}

impl FieldRequirement {
    fn matches(&self, object: &Value) -> bool {
        let mut value = object;
        for part in self.path.split('.') {
            value = &value[part];
        }
        let found = match value {
            Value::String(text) => text.clone(),
            Value::Null => default_of(&self.path).to_owned(),
            other => other.to_string(),
        };
        (found == self.value) == self.is_equal
    }
}

/// What an absent number or switch counts as.
fn default_of(path: &str) -> &'static str {
    match path {
        "status.successful" | "status.replicas" => "0",
        "spec.unschedulable" | "spec.hostNetwork" => "false",
        _ => "",
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, ApiError> {
    split(text).into_iter().map(|part| parse_label(part.trim())).collect()
}

/// Splits at commas that are not inside parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

fn parse_label(part: &str) -> Result<Requirement, ApiError> {
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::Absent(word(key)?));
    }
    for (sign, is_equal) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = part.split_once(sign) {
            let (key, values) = (word(key)?, vec![value.trim().to_owned()]);
            return Ok(if is_equal { Requirement::In(key, values) } else { Requirement::NotIn(key, values) });
        }
    }
    if let Some((head, list)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        return match head.trim().rsplit_once(char::is_whitespace) {
            Some((key, "in")) => Ok(Requirement::In(word(key)?, values)),
            Some((key, "notin")) => Ok(Requirement::NotIn(word(key)?, values)),
            _ => Err(unreadable(head)),
        };
    }
    Ok(Requirement::Exists(word(part)?))
}

fn word(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let is_fine = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    if is_fine { Ok(text.to_owned()) } else { Err(unreadable(text)) }
}

fn unreadable(text: &str) -> ApiError {
    let odd = text.split_whitespace().nth(1).unwrap_or(text);
    ApiError::bad_request(format!("unable to parse requirement: found '{odd}', expected: in, notin, =, ==, !=, gt, lt"))
}

fn parse_fields(resource: &Resource, text: &str) -> Result<Vec<FieldRequirement>, ApiError> {
    let mut requirements = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let signs = [("!=", false), ("==", true), ("=", true)];
        let read = signs.into_iter().find_map(|(sign, is_equal)| part.split_once(sign).map(|(path, value)| (path, value, is_equal)));
        let Some((path, value, is_equal)) = read else {
            return Err(ApiError::bad_request(format!("invalid selector: '{text}'; can't understand '{part}'")));
        };
        check_field(resource, path)?;
        requirements.push(FieldRequirement { path: path.to_owned(), value: value.to_owned(), is_equal });
    }
    Ok(requirements)
}

/// The fields of a resource that can be selected by, besides name and namespace.
fn selectable(resource: &Resource) -> &'static [&'static str] {
    match (&*resource.gr.group, &*resource.gr.plural) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("" | "events.k8s.io", "events") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "type",
        ],
        ("", "namespaces") => &["status.phase"],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "secrets") => &["type"],
        ("batch", "jobs") => &["status.successful"],
        ("apps", "replicasets") | ("", "replicationcontrollers") => &["status.replicas"],
        _ => &[],
    }
}

fn check_field(resource: &Resource, path: &str) -> Result<(), ApiError> {
    let own = selectable(resource);
    if matches!(path, "metadata.name" | "metadata.namespace") || own.contains(&path) {
        return Ok(());
    }
    let text = if resource.is_custom() || !own.is_empty() {
        format!("field label not supported: {path}")
    } else {
        format!("{path:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    };
    Err(ApiError::bad_request(text))
}
