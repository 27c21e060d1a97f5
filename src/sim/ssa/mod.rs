//! Server-side apply.

use std::sync::Arc;

use serde_json::Value;

use super::registry::Resource;
use super::status::ApiError;
use super::store::{Key, Store};
use super::write::{self, Caller};

pub(super) fn apply(
    store: &Store,
    resource: &Resource,
    key: &Key,
    applied: Value,
    caller: Caller,
    _force: bool,
) -> Result<(u16, Arc<Value>), ApiError> {
    store.transact(|state| match state.get(&resource.gr, key).cloned() {
        None => Ok((201, write::create(state, resource, applied, &caller)?)),
        Some(old) => {
            let mut new = Value::clone(&old);
            json_patch::merge(&mut new, &applied);
            Ok((200, write::replace(state, resource, key, new, &caller)?))
        }
    })
}
