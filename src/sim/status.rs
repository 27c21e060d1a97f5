//! What the API server says when it refuses: `Status` objects with the codes, reasons, texts and causes of the
//! real one, because clients and people read them. Knows nothing of storage and requests.

use serde_json::{Map, Value, json};

/// A refusal of the API server, as the `Status` on the wire.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    /// HTTP status code.
    pub(crate) code: u16,
    /// The `reason` word; empty where the real server gives none.
    pub(crate) reason: &'static str,
    /// The sentence a person reads.
    pub(crate) message: String,
    /// `details` of the Status; absent where the real server sends none.
    pub(crate) details: Option<Value>,
    /// Seconds of a `Retry-After` header.
    pub(crate) retry_after: Option<u32>,
    /// The body is `message` as plain text instead of a Status.
    pub(crate) plain: bool,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    reason: &'static str,
    field: String,
    message: String,
}

impl Cause {
    /// A value that must be given and is not.
    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        Self::new("FieldValueRequired", field, with_detail("Required value", detail))
    }

    /// A value that has the right type but is not allowed.
    pub(crate) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::new("FieldValueInvalid", field, with_detail(&format!("Invalid value: {value}"), detail))
    }

    /// Something that may not be done.
    pub(crate) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self::new("FieldValueForbidden", field, with_detail("Forbidden", detail))
    }

    /// A value outside of a fixed set.
    pub(crate) fn not_supported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let list: Vec<String> = supported.iter().map(|word| format!("{word:?}")).collect();
        Self::new("FieldValueNotSupported", field, format!("Unsupported value: {value}: supported values: {}", list.join(", ")))
    }

    /// A value of the wrong JSON type.
    pub(crate) fn wrong_type(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::new("FieldValueTypeInvalid", field, with_detail(&format!("Invalid value: {value}"), detail))
    }

    /// A value that is larger than allowed.
    pub(crate) fn too_long(field: impl Into<String>, detail: &str) -> Self {
        Self::new("FieldValueTooLong", field, with_detail("Too long", detail))
    }

    /// A cause with a reason of its own.
    pub(crate) fn new(reason: &'static str, field: impl Into<String>, message: String) -> Self {
        Self { reason, field: field.into(), message }
    }

    fn to_value(&self) -> Value {
        let mut cause = Map::new();
        cause.insert("reason".into(), self.reason.into());
        cause.insert("message".into(), self.message.clone().into());
        if !self.field.is_empty() {
            cause.insert("field".into(), self.field.clone().into());
        }
        Value::Object(cause)
    }

    fn sentence(&self) -> String {
        if self.field.is_empty() { self.message.clone() } else { format!("{}: {}", self.field, self.message) }
    }
}

fn with_detail(head: &str, detail: &str) -> String {
    if detail.is_empty() { head.to_owned() } else { format!("{head}: {detail}") }
}

/// `deployments.apps`, `pods`: a resource as error texts write it.
pub(super) fn qualified(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None, plain: false }
    }

    fn about(mut self, group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let mut details = Map::new();
        let fields = [("name", name), ("group", group), ("kind", kind)];
        for (key, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            details.insert(key.into(), value.into());
        }
        if !causes.is_empty() {
            details.insert("causes".into(), causes.iter().map(Cause::to_value).collect());
        }
        self.details = Some(Value::Object(details));
        self
    }

    /// 404: there is no such object.
    pub(crate) fn not_found(group: &str, plural: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", qualified(plural, group))).about(group, plural, name, &[])
    }

    /// 404: there is no such resource.
    pub(crate) fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").about("", "", "", &[])
    }

    /// 404 as plain text: nothing answers on this path.
    pub(crate) fn no_such_path() -> Self {
        Self { plain: true, ..Self::new(404, "", "404 page not found\n") }
    }

    /// 409: the name is taken.
    pub(crate) fn already_exists(group: &str, plural: &str, name: &str, deleting: bool) -> Self {
        let head = if deleting { "object is being deleted: " } else { "" };
        let text = format!("{head}{} {name:?} already exists", qualified(plural, group));
        Self::new(409, "AlreadyExists", text).about(group, plural, name, &[])
    }

    /// 409: the object is not as the writer believes.
    pub(crate) fn conflict(group: &str, plural: &str, name: &str, detail: &str) -> Self {
        let text = format!("Operation cannot be fulfilled on {} {name:?}: {detail}", qualified(plural, group));
        Self::new(409, "Conflict", text).about(group, plural, name, &[])
    }

    /// 409: the resourceVersion is not the current one.
    pub(crate) fn modified(group: &str, plural: &str, name: &str) -> Self {
        let detail = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(group, plural, name, detail)
    }

    /// 409 of server-side apply: fields belong to other managers.
    pub(crate) fn apply_conflict(message: String, causes: &[Cause]) -> Self {
        Self::new(409, "Conflict", message).about("", "", "", causes)
    }

    /// 422: fields are wrong. `kind` is the Kind, not the resource.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let mut sentences: Vec<String> = Vec::new();
        for sentence in causes.iter().map(Cause::sentence) {
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        let list = match sentences.as_slice() {
            [only] => only.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let text = format!("{} {name:?} is invalid: {list}", qualified(kind, group));
        Self::new(422, "Invalid", text).about(group, kind, name, causes)
    }

    /// 422 about the options of a request (`CreateOptions`, `ListOptions`, …).
    pub(crate) fn invalid_options(kind: &str, causes: &[Cause]) -> Self {
        Self::invalid("meta.k8s.io", kind, "", causes)
    }

    /// 422 without any detail: a JSON patch that does not fit.
    pub(crate) fn unprocessable() -> Self {
        Self::new(422, "Invalid", "the server rejected our request due to an error in our request").about("", "", "", &[])
    }

    /// 400: the request cannot be understood.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 403 by a rule about users.
    pub(crate) fn forbidden(group: &str, plural: &str, name: &str, detail: &str) -> Self {
        let subject = if name.is_empty() { qualified(plural, group) } else { format!("{} {name:?}", qualified(plural, group)) };
        Self::new(403, "Forbidden", format!("{subject} is forbidden: {detail}")).about(group, plural, name, &[])
    }

    /// 403: the namespace is going away.
    pub(crate) fn namespace_terminating(group: &str, plural: &str, name: &str, namespace: &str) -> Self {
        let detail = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let cause = Cause::new("NamespaceTerminating", "metadata.namespace", format!("namespace {namespace} is being terminated"));
        let text = format!("{} {name:?} is forbidden: {detail}", qualified(plural, group));
        Self::new(403, "Forbidden", text).about(group, plural, name, &[cause])
    }

    /// 405: the path does not know this verb.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource").about("", "", "", &[])
    }

    /// 406: no way to answer in what the client accepts.
    pub(crate) fn not_acceptable(accepted: &[&str]) -> Self {
        let text = format!("only the following media types are accepted: {}", accepted.join(", "));
        Self::new(406, "NotAcceptable", text)
    }

    /// 415: the body is in a language the path does not read.
    pub(crate) fn unsupported_media_type(accepted: &[&str]) -> Self {
        let text = format!("the body of the request was in an unknown format - accepted media types include: {}", accepted.join(", "));
        Self::new(415, "UnsupportedMediaType", text)
    }

    /// 413: more than 3 MiB.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {limit}"))
    }

    /// 410: the revision is no longer known.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 429: a rule (a disruption budget) asks to wait.
    pub(crate) fn too_many_requests(message: impl Into<String>, causes: &[Cause]) -> Self {
        Self::new(429, "TooManyRequests", message).about("", "", "", causes)
    }

    /// 429 as plain text, as an overloaded server says it.
    pub(crate) fn overloaded(retry_after: u32) -> Self {
        let text = "Too many requests, please try again later.";
        Self { plain: true, retry_after: Some(retry_after), ..Self::new(429, "TooManyRequests", text) }
    }

    /// 504: the wanted revision does not come.
    pub(crate) fn too_large_revision(asked: u64, current: u64) -> Self {
        let cause = Cause::new("ResourceVersionTooLarge", "", "Too large resource version".to_owned());
        let text = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut error = Self::new(504, "Timeout", text).about("", "", "", &[cause]);
        if let Some(Value::Object(details)) = &mut error.details {
            details.insert("retryAfterSeconds".into(), json!(1));
        }
        Self { retry_after: Some(1), ..error }
    }

    /// 500, with or without the reason `InternalError`.
    pub(crate) fn internal(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(500, reason, message)
    }

    /// Any other answer, for fault rules.
    pub(crate) fn custom(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, reason, message)
    }

    /// Returns the `Status` object of the wire.
    pub(crate) fn to_status(&self) -> Value {
        let mut status = Map::new();
        status.insert("kind".into(), "Status".into());
        status.insert("apiVersion".into(), "v1".into());
        status.insert("metadata".into(), json!({}));
        status.insert("status".into(), "Failure".into());
        status.insert("message".into(), self.message.clone().into());
        if !self.reason.is_empty() {
            status.insert("reason".into(), self.reason.into());
        }
        if let Some(details) = &self.details {
            status.insert("details".into(), details.clone());
        }
        status.insert("code".into(), self.code.into());
        Value::Object(status)
    }
}
