//! Who belongs to whom, learnt from the changes of the store: objects by uid, dependents by owner, contents of
//! namespaces. Holds places, not objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::queue::ObjectRef;
use crate::sim::fields;

/// Places of all objects, by uid, owner and namespace.
#[derive(Debug, Default)]
pub(in crate::sim) struct Index {
    uids: BTreeMap<String, ObjectRef>,
    dependents: BTreeMap<String, BTreeSet<ObjectRef>>,
    namespaces: BTreeMap<Arc<str>, BTreeSet<ObjectRef>>,
}

impl Index {
    /// Takes a change in.
    pub(super) fn observe(&mut self, place: &ObjectRef, before: Option<&Value>, after: Option<&Value>) {
        if let Some(before) = before {
            self.uids.remove(fields::uid(before));
            for owner in fields::owners(before) {
                let uid = fields::text(owner, "/uid");
                if let Some(places) = self.dependents.get_mut(uid) {
                    places.remove(place);
                    if places.is_empty() {
                        self.dependents.remove(uid);
                    }
                }
            }
        }
        if let Some(after) = after {
            self.uids.insert(fields::uid(after).to_owned(), place.clone());
            for owner in fields::owners(after) {
                self.dependents.entry(fields::text(owner, "/uid").to_owned()).or_default().insert(place.clone());
            }
            self.namespaces.entry(Arc::clone(&place.namespace)).or_default().insert(place.clone());
        } else if let Some(places) = self.namespaces.get_mut(&place.namespace) {
            places.remove(place);
        }
    }

    /// Returns where the object with a uid is.
    pub(in crate::sim) fn by_uid(&self, uid: &str) -> Option<&ObjectRef> {
        self.uids.get(uid)
    }

    /// Returns the places of all objects that name an owner.
    pub(in crate::sim) fn dependents(&self, owner: &str) -> impl Iterator<Item = &ObjectRef> {
        self.dependents.get(owner).into_iter().flatten()
    }

    /// Returns the places of all objects in a namespace.
    pub(super) fn contents(&self, namespace: &str) -> impl Iterator<Item = &ObjectRef> {
        self.namespaces.get(namespace).into_iter().flatten()
    }
}
