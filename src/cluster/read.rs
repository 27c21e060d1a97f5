//! Reading objects: one, or the metadata of many. Reads are tried again, because nothing can happen twice.

use serde_json::Value;

use super::apply::{Before, Spot};
use super::live::completed;
use super::ownership::Snapshot;
use super::retry::Backoff;
use super::wire::{CallError, Resource, with_query};
use super::{Cluster, Reporter};
use crate::model::Object;

/// What is done when a list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It is tried again as often as any read.
    Usual,
    /// It is tried again only if the server says that it has too much to do: for what is only looked at in case that there is something.
    Little,
}

/// How many objects are asked for at once.
const PAGE: u64 = 500;
/// So many pages without an object, one after the other, are no list.
pub(super) const EMPTY_PAGES: u32 = 3;
const MANY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

const WHOLE: &str = "application/json";

/// What a page says of its list.
#[derive(Debug)]
struct Page {
    items: u64,
    /// How many objects come behind it, if the server says so.
    left: Option<u64>,
}

/// The beginning of a list.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) objects: Vec<Object>,
    /// Whether these are all.
    pub(crate) is_whole: bool,
}

/// Says that a list has no end.
pub(super) fn endless(collection: &str) -> CallError {
    CallError::Unreadable(format!("the list of {collection} has pages without objects and no end"))
}

impl Cluster {
    /// Gets an object; `None` if it does not exist.
    ///
    /// # Errors
    /// Why it could not be had.
    pub(crate) async fn get(&self, spot: Spot<'_>, reporter: &Reporter) -> Result<Option<Object>, CallError> {
        let doing = format!("reading {}", spot.title());
        let mut backoff = Backoff::new(self, reporter, &doing);
        loop {
            match self.wire.get(&spot.path()).await {
                Ok(value) => return Ok(Some(Object::new(value))),
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Returns whether an object exists. Its contents are not fetched, and the request is not tried again: for what is only good to know.
    ///
    /// # Errors
    /// Why it could not be told.
    pub(crate) async fn has(&self, spot: Spot<'_>) -> Result<bool, CallError> {
        const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
        match self.wire.get_as(&spot.path(), METADATA).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lists objects with their metadata alone, of one namespace or (empty) of all.
    ///
    /// # Errors
    /// Why they could not be had.
    pub(crate) async fn list_metadata(&self, resource: &Resource, namespace: &str, patience: Patience) -> Result<Vec<Object>, CallError> {
        self.list_some(resource, namespace, patience, usize::MAX).await.map(|listed| listed.objects)
    }

    /// The same, but so many pages at most.
    ///
    /// # Errors
    /// Why they could not be had.
    pub(crate) async fn list_some(
        &self,
        resource: &Resource,
        namespace: &str,
        patience: Patience,
        pages: usize,
    ) -> Result<Listed, CallError> {
        let mut read = 0;
        let is_wanted = |_: &Page| {
            read += 1;
            read < pages
        };
        let (items, is_whole) = self.pages(&resource.collection(namespace), (MANY, PAGE), patience, is_wanted).await?;
        Ok(Listed { objects: items.into_iter().map(Object::new).collect(), is_whole })
    }

    /// Lists objects as they are, of one namespace or (empty) of all. If there are more than so many of them, the list ends with a page.
    ///
    /// # Errors
    /// Why they could not be had.
    pub(crate) async fn list_whole(&self, resource: &Resource, namespace: &str, most: u64) -> Result<Listed, CallError> {
        let mut read = 0;
        let is_wanted = |page: &Page| {
            read += page.items;
            read.saturating_add(page.left.unwrap_or_default()) <= most
        };
        // One more than are wanted tells that there are too many, so no more are read to find that out.
        let form = (WHOLE, PAGE.min(most.saturating_add(1)));
        let (items, is_whole) = self.pages(&resource.collection(namespace), form, Patience::Little, is_wanted).await?;
        Ok(Listed { objects: items.into_iter().map(|item| completed(item, &resource.gvk)).collect(), is_whole })
    }

    /// Reads a list page by page as long as the next page is wanted; returns the items, and whether these are all.
    async fn pages(
        &self,
        collection: &str,
        (form, limit): (&str, u64),
        patience: Patience,
        mut is_wanted: impl FnMut(&Page) -> bool,
    ) -> Result<(Vec<Value>, bool), CallError> {
        let (mut items, mut from) = (Vec::new(), String::new());
        let reporter = Reporter::default();
        let mut backoff = Backoff::new(self, &reporter, "listing");
        let (limit, mut empty) = (limit.to_string(), 0);
        loop {
            let query = [("limit", &*limit), ("continue", &from)];
            let query = if from.is_empty() { &query[..1] } else { &query[..] };
            let mut page = match self.wire.get_as(&with_query(collection, query), form).await {
                Ok(page) => page,
                Err(error) => {
                    let is_worth_it = patience == Patience::Usual || error.code() == Some(429);
                    if is_worth_it && backoff.again(&error).await {
                        continue;
                    }
                    return Err(error);
                }
            };
            let before = items.len();
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().clone_into(&mut from);
            empty = if items.len() == before { empty + 1 } else { 0 };
            if empty == EMPTY_PAGES && !from.is_empty() {
                return Err(endless(collection));
            }
            let left = page.pointer("/metadata/remainingItemCount").and_then(Value::as_u64);
            if from.is_empty() || !is_wanted(&Page { items: (items.len() - before) as u64, left }) {
                return Ok((items, from.is_empty()));
            }
        }
    }

    /// Returns how many objects there are, and whether there may be more: the server says how many are left after the first.
    ///
    /// # Errors
    /// Why they could not be counted.
    pub(crate) async fn count(&self, resource: &Resource, namespace: &str) -> Result<(u64, bool), CallError> {
        let page = self.wire.get_as(&with_query(&resource.collection(namespace), &[("limit", "1")]), MANY).await?;
        let first = page["items"].as_array().map_or(0, Vec::len) as u64;
        let left = page.pointer("/metadata/remainingItemCount").and_then(Value::as_u64);
        let is_cut = page.pointer("/metadata/continue").and_then(Value::as_str).is_some_and(|from| !from.is_empty());
        Ok((first.saturating_add(left.unwrap_or_default()), is_cut && left.is_none()))
    }

    /// Returns what is there before a write, for a caller who does not know.
    ///
    /// # Errors
    /// Why it could not be had.
    pub(crate) async fn look_before(&self, spot: Spot<'_>) -> Result<Before, CallError> {
        if spot.name.is_empty() {
            return Ok(Before::Absent);
        }
        let found = self.get(spot, &Reporter::default()).await;
        match found {
            Ok(object) => Ok(object.map_or(Before::Absent, |object| Before::Present(Snapshot::of(object.wire())))),
            // Whoever may write but not read still gets an answer; only the word for it is a guess.
            Err(error) if error.is_forbidden() => Ok(Before::Absent),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use serde_json::json;

    use super::*;
    use crate::cluster::fake::{self, Asked};

    fn page(items: usize, from: &str) -> Value {
        let items: Vec<Value> = (0..items).map(|number| json!({"metadata": {"name": format!("a{number}"), "namespace": "shop"}})).collect();
        json!({"metadata": {"continue": from}, "items": items})
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_of_pages_without_objects_ends_with_a_sentence() {
        let cluster = fake::cluster(|_| fake::json_answer(200, &page(0, "more")));
        let configs = Resource::core("ConfigMap", "configmaps");
        let whole = cluster.list_whole(&configs, "shop", 1_000).await.unwrap_err();
        let metadata = cluster.list_metadata(&configs, "shop", Patience::Little).await.unwrap_err();
        for error in [whole, metadata] {
            assert!(
                error.to_string().ends_with("the list of /api/v1/namespaces/shop/configmaps has pages without objects and no end"),
                "{error}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_objects_are_read_than_tell_that_there_are_too_many() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let cluster = fake::cluster(move |request: Asked| {
            count.fetch_add(1, Relaxed);
            assert_eq!(request.query, "limit=33");
            fake::json_answer(200, &page(33, "more"))
        });
        let listed = cluster.list_whole(&Resource::core("Secret", "secrets"), "shop", 32).await.unwrap();
        assert_eq!((listed.objects.len(), listed.is_whole, asked.load(Relaxed)), (33, false, 1));
    }
}
