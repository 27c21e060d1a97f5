//! Who owns which field: the `managedFields` that creates and updates leave behind.

use serde_json::Value;

use super::registry::Resource;
use super::write::Caller;

pub(super) fn created(_resource: &Resource, _object: &mut Value, _caller: &Caller) {}
pub(super) fn updated(_resource: &Resource, _old: &Value, _new: &mut Value, _asked: Option<&Value>, _caller: &Caller) {}

/// Tells whether a write changes nothing: equal but for the times in `managedFields`.
pub(super) fn is_same(old: &Value, new: &Value) -> bool {
    old == new
}
