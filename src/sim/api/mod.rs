//! The verbs of the API: from a request that is read to an answer. Uses the store, the log book and the rules of
//! writing; owns options, media types and the shapes of answers. Which resources exist is asked of the catalogue.

pub(super) mod answer;
mod body;
mod deletes;
mod events;
mod list;
mod logs;
mod questions;
mod scale;
mod watching;
mod writes;

use std::sync::Arc;

use bytes::Bytes;

use self::answer::{Accept, Answer};
use super::fault::Faults;
use super::logbook::Logbook;
use super::path::{Query, Target};
use super::registry::Resource;
use super::status::{ApiError, Cause};
use super::store::{Key, Store};
use super::write::{Caller, Keep, Part};

/// A request about a resource, with everything it needs to be answered.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) store: Store,
    pub(super) logs: Logbook,
    pub(super) faults: Faults,
    pub(super) resource: Arc<Resource>,
    pub(super) target: Target,
    pub(super) query: Query,
    pub(super) accept: Accept,
    pub(super) content_type: String,
    pub(super) user_agent: String,
    pub(super) body: Bytes,
    /// A watch ends after this many events.
    pub(super) drop_after: Option<usize>,
    /// A stream ends after this many bytes.
    pub(super) cut_after: Option<usize>,
}

/// Answers a request whose verb and resource are known and allowed.
pub(super) async fn answer(call: Call, verb: &str) -> Result<Answer, ApiError> {
    let subresource = call.target.subresource.clone().unwrap_or_default();
    if !has_subresource(&call.resource, &subresource) {
        return Err(ApiError::no_such_resource());
    }
    match (verb, subresource.as_str()) {
        ("get", "") => list::get(&call),
        ("list", "") => list::list(&call).await,
        ("watch", "") => watching::watch(call),
        ("create", "") if call.resource.verbs() == ["create"] => questions::answer(&call),
        ("create", "") => writes::create(&call),
        ("update", "" | "status" | "finalize") => writes::update(&call),
        ("patch", "" | "status" | "finalize") => writes::patch(&call),
        ("get", "status" | "finalize") => list::get(&call),
        ("delete", "") => deletes::delete(&call),
        ("deletecollection", "") => deletes::delete_all(&call),
        (verb, "scale") => scale::answer(&call, verb),
        ("get", "log") => logs::read(call),
        ("create", "binding") => writes::bind(&call),
        ("create", "eviction") => deletes::evict(&call),
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn has_subresource(resource: &Resource, subresource: &str) -> bool {
    match subresource {
        "" => true,
        "status" => resource.status,
        "scale" => resource.scale.is_some(),
        other => resource.others.iter().any(|name| name == other),
    }
}

impl Call {
    pub(super) fn namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.target.name.as_deref().unwrap_or_default()
    }

    /// The row of the resource as it is stored: events have one place for both their groups.
    fn stored(&self) -> Arc<Resource> {
        let gr = self.resource.storage();
        if gr == self.resource.gr {
            return Arc::clone(&self.resource);
        }
        let found = self.store.lock().catalog.by_resource(&gr.group, &gr.plural);
        found.unwrap_or_else(|| Arc::clone(&self.resource))
    }

    fn key(&self) -> Key {
        (self.namespace().into(), self.name().into())
    }

    /// Makes the writer of this request; `options` is the kind that error texts name (`CreateOptions`).
    fn caller(&self, options: &str) -> Result<Caller, ApiError> {
        let part = match self.target.subresource.as_deref() {
            Some("status") => Part::Status,
            Some("scale") => Part::Scale,
            Some("finalize") => Part::Finalize,
            Some("binding") => Part::Binding,
            Some(_) | None => Part::Main,
        };
        let manager = match self.query.get("fieldManager") {
            Some(manager) => manager.to_owned(),
            None => self.user_agent.split('/').next().unwrap_or_default().to_owned(),
        };
        let (now, keep) = (self.store.clock().now(), self.keep(options)?);
        Ok(Caller { manager, now, keep, part, is_internal: false, applied: None })
    }

    fn keep(&self, options: &str) -> Result<Keep, ApiError> {
        let mut keep = Keep::Store;
        for value in self.query.all("dryRun").filter(|value| !value.is_empty()) {
            if value != "All" {
                return Err(ApiError::invalid_options(options, &[Cause::not_supported("dryRun", &value.into(), &["All"])]));
            }
            keep = Keep::DryRun;
        }
        Ok(keep)
    }
}
