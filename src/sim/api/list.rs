//! GET of one object and of lists: selectors, pages, revisions, metadata only.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::registry::Resource;
use super::super::selector::Selector;
use super::super::status::{ApiError, Cause};
use super::super::store::{Key, State};
use super::answer::{Answer, Form};
use super::{Call, events};

/// How long a list waits for a revision that is not there yet.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn get(call: &Call) -> Result<Answer, ApiError> {
    let resource = &call.resource;
    let found = call.store.lock().get(&resource.storage(), &call.key()).cloned();
    let object = found.ok_or_else(|| ApiError::not_found(&resource.gr.group, &resource.gr.plural, call.name()))?;
    Ok(Answer::value(200, &shaped(resource, &object, call.accept.form), call.accept))
}

/// Returns an object in the version and form a client asked for.
pub(super) fn shaped(resource: &Resource, object: &Value, form: Form) -> Value {
    match form {
        Form::Whole | Form::Discovery => events::from_storage(resource, object),
        Form::Metadata => {
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
        }
    }
}

/// Reads both selectors of a request.
pub(super) fn selector(call: &Call) -> Result<Selector, ApiError> {
    let text = |key| call.query.get(key).unwrap_or_default();
    let mut selector = Selector::parse(&call.resource, text("labelSelector"), text("fieldSelector"))?;
    if let Some(name) = &call.target.name {
        selector = selector.named(name);
    }
    Ok(selector)
}

/// Which revision a list must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Newest,
    NotOlderThan(u64),
    Exact(u64),
}

/// Objects with their places, in the order of lists.
type Objects = Vec<(Key, Arc<Value>)>;

/// A place in a list that was cut into pages.
#[derive(Debug)]
struct Token {
    rev: u64,
    /// The last key of the page before: namespace and name.
    after: Key,
}

pub(super) async fn list(call: &Call) -> Result<Answer, ApiError> {
    let selector = selector(call)?;
    let token = call.query.get("continue").map(read_token).transpose()?;
    if token.is_some() && !matches!(call.query.get("resourceVersion"), None | Some("0")) {
        return Err(ApiError::bad_request("specifying resource version is not allowed when using continue"));
    }
    let wanted = wanted(call)?;
    if let Wanted::NotOlderThan(rev) | Wanted::Exact(rev) = wanted {
        wait_for(call, rev).await?;
    }
    let page = page(call, &selector, token.as_ref(), wanted)?;
    Ok(Answer::value(200, &page, call.accept))
}

fn wanted(call: &Call) -> Result<Wanted, ApiError> {
    let rule = call.query.get("resourceVersionMatch");
    let Some(text) = call.query.get("resourceVersion") else {
        if rule.is_some() {
            let detail = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(ApiError::invalid_options("ListOptions", &[Cause::forbidden("resourceVersionMatch", detail)]));
        }
        return Ok(Wanted::Newest);
    };
    let rev: u64 = text.parse().map_err(|_| ApiError::bad_request(format!("invalid resource version {text:?}: strconv.ParseUint")))?;
    match rule {
        Some("Exact") if rev == 0 => {
            let detail = "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"";
            Err(ApiError::invalid_options("ListOptions", &[Cause::forbidden("resourceVersionMatch", detail)]))
        }
        Some("Exact") => Ok(Wanted::Exact(rev)),
        Some("NotOlderThan") | None => Ok(Wanted::NotOlderThan(rev)),
        Some(other) => {
            let cause = Cause::not_supported("resourceVersionMatch", &other.into(), &["Exact", "NotOlderThan", ""]);
            Err(ApiError::invalid_options("ListOptions", &[cause]))
        }
    }
}

async fn wait_for(call: &Call, rev: u64) -> Result<(), ApiError> {
    let mut revision = call.store.revision();
    let wait = async {
        // The sender lives in the store that this request holds, so it cannot go away meanwhile.
        revision.wait_for(|current| current >= rev).await.ok();
    };
    tokio::select! {
        () = wait => Ok(()),
        () = call.store.clock().sleep(PATIENCE) => Err(ApiError::too_large_revision(rev, call.store.lock().rev())),
    }
}

fn page(call: &Call, selector: &Selector, token: Option<&Token>, wanted: Wanted) -> Result<Value, ApiError> {
    let state = call.store.lock();
    let (rev, objects) = objects(&state, call, token, wanted)?;
    let namespace = call.target.namespace.as_deref();
    let later = |key: &Key| token.is_none_or(|token| *key > token.after);
    let mut matching = objects
        .into_iter()
        .filter(|(key, object)| later(key) && namespace.is_none_or(|wanted| *key.0 == *wanted) && selector.matches(object));
    let limit = call.query.get("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let items: Vec<(Key, Arc<Value>)> = matching.by_ref().take(limit).collect();
    let rest = if items.len() == limit { matching.count() } else { 0 };
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), rev.to_string().into());
    if let Some((last, _)) = items.last().filter(|_| rest > 0) {
        metadata.insert("continue".into(), write_token(rev, last).into());
        if selector.is_empty() {
            metadata.insert("remainingItemCount".into(), rest.into());
        }
    }
    Ok(list_object(call, metadata, items.iter().map(|(_, object)| object)))
}

/// The objects of the resource at the revision that the request is about.
fn objects(state: &State, call: &Call, token: Option<&Token>, wanted: Wanted) -> Result<(u64, Objects), ApiError> {
    let gr = call.resource.storage();
    let rev = match (token, wanted) {
        (Some(token), _) => Some(token.rev),
        (None, Wanted::Exact(rev)) => Some(rev),
        (None, Wanted::Newest | Wanted::NotOlderThan(_)) => None,
    };
    let Some(rev) = rev.filter(|rev| *rev != state.rev()) else {
        let objects = state.range(&gr, call.target.namespace.as_deref()).map(|(key, object)| (key.clone(), Arc::clone(object)));
        return Ok((state.rev(), objects.collect()));
    };
    let text = if token.is_some() {
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
    } else {
        "The resourceVersion for the provided list is too old."
    };
    let objects = state.at(rev, &gr).map_err(|_| ApiError::expired(text))?;
    Ok((rev, objects.into_iter().collect()))
}

/// Makes a list of objects; items of built-in kinds do not repeat their kind.
pub(super) fn list_object<'a>(call: &Call, metadata: Map<String, Value>, objects: impl Iterator<Item = &'a Arc<Value>>) -> Value {
    let resource = &call.resource;
    let form = call.accept.form;
    let item = |object: &Arc<Value>| {
        let mut item = shaped(resource, object, form);
        if !resource.is_custom()
            && form == Form::Whole
            && let Some(fields) = item.as_object_mut()
        {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        item
    };
    let (kind, version) = match form {
        Form::Whole | Form::Discovery => (format!("{}List", resource.kind), resource.api_version()),
        Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
    };
    json!({"kind": kind, "apiVersion": version, "metadata": metadata, "items": objects.map(item).collect::<Vec<_>>()})
}

fn write_token(rev: u64, (namespace, name): &Key) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": rev, "start": format!("{namespace}/{name}\u{0}")});
    super::super::encode(token.to_string().as_bytes())
}

fn read_token(text: &str) -> Result<Token, ApiError> {
    let bad = || ApiError::bad_request("continue key is not valid: unable to decode the token");
    let bytes = super::super::decode(text).ok_or_else(bad)?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|_| bad())?;
    let start = token["start"].as_str().and_then(|start| start.strip_suffix('\u{0}')).ok_or_else(bad)?;
    let (namespace, name) = start.split_once('/').ok_or_else(bad)?;
    Ok(Token { rev: token["rv"].as_u64().ok_or_else(bad)?, after: (namespace.into(), name.into()) })
}
