//! Fields of others: those that our apply takes, whether or not their values change, and those that it does not mention.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use super::normalize::is_left_out;
use super::{Foreign, Taken};
use crate::model::managed::{self, Entry, Others};
use crate::model::{FieldPath, Segment, secret};

/// Returns, by manager, what our apply takes from others, and what stays theirs.
pub(super) fn fields(live: &Value, after: &Value, is_secret: bool) -> (Vec<Taken>, Vec<Foreign>) {
    let ours = managed::joined(Entry::all(after).filter(Entry::is_ours).map(|entry| entry.fields));
    let mut kept: HashMap<_, Vec<&Value>> = HashMap::new();
    for entry in Entry::all(after) {
        kept.entry(entry.owner()).or_default().push(entry.fields);
    }
    let kept: HashMap<_, Cow<'_, Value>> = kept.into_iter().map(|(owner, sets)| (owner, managed::joined(sets.into_iter()))).collect();
    let (mut taken, mut stay) = (Vec::new(), Vec::new());
    for entry in Entry::all(live).filter(|entry| !entry.is_ours() && entry.subresource.is_empty()) {
        let kept = kept.get(&entry.owner()).map_or(&Value::Null, |kept| &**kept);
        let (lost, left) = sorted(&entry, Others { ours: &ours, kept }, is_secret);
        let Entry { manager, operation, time, .. } = entry;
        let (manager, operation, time) = (manager.to_owned(), operation.to_owned(), time.map(str::to_owned));
        if !lost.is_empty() {
            taken.push(Taken { manager: manager.clone(), operation: operation.clone(), time: time.clone(), fields: lost });
        }
        if !left.is_empty() {
            stay.push(Foreign { manager, operation, time, client_side: entry.is_client_side(), fields: left });
        }
    }
    (taken, stay)
}

fn sorted(entry: &Entry<'_>, others: Others<'_>, is_secret: bool) -> (Vec<FieldPath>, Vec<FieldPath>) {
    let (mut lost, mut left): (Vec<FieldPath>, Vec<FieldPath>) = (Vec::new(), Vec::new());
    managed::compare_leaves(entry.fields, others, &mut |path, shares| {
        let path = if is_secret { without_values(path) } else { path };
        let names: Vec<&str> = path.iter().map(|segment| segment.name().unwrap_or_default()).collect();
        if is_left_out(&names) {
            return;
        }
        let list = match (shares.is_ours, shares.is_kept) {
            (true, false) => &mut lost,
            (false, true) => &mut left,
            (true, true) | (false, false) => return,
        };
        if list.last().is_none_or(|last| last.segments() != path) {
            list.push(path.to_vec().into());
        }
    });
    (lost, left)
}

/// Cuts the path of a Secret's field before anything that could be a value: a Secret may be written in a wrong form.
fn without_values(path: &[Segment]) -> &[Segment] {
    let is_data = |segment: &Segment| segment.name().is_some_and(|name| secret::FIELDS.contains(&name));
    let Some(data) = path.iter().position(is_data) else { return path };
    let is_named = path.get(data + 1).is_some_and(|segment| segment.name().is_some());
    &path[..=data + usize::from(is_named)]
}
