//! Fields of others: those that our apply takes, whether or not their values change, and those that it does not mention.

use serde_json::Value;

use super::normalize::is_left_out;
use super::{Foreign, Taken, Written};
use crate::model::managed::{After, Entry, Owner};
use crate::model::{FieldPath, Segment, secret};

/// Returns, by manager, what our apply takes from others, and what stays theirs.
pub(super) fn fields(live: &Value, after: &Value, is_secret: bool) -> (Vec<Taken>, Vec<Foreign>) {
    let owners = After::of(after);
    let (mut taken, mut stay) = (Vec::new(), Vec::new());
    // Whoever scales writes `spec.replicas` through a subresource; status is what no target asks for.
    for entry in Entry::all(live).filter(|entry| !entry.is_ours() && entry.subresource != "status") {
        let (lost, left) = sorted(&entry, &owners, is_secret);
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

/// Returns the newest of the writes that an object tells of. What reports the status writes all the time, and changes nothing.
pub(super) fn last_write(live: &Value) -> Option<Written> {
    let entries = Entry::all(live).filter(|entry| entry.subresource != "status");
    // Times of the server are all written in the same way, so that their order is that of their letters.
    let (entry, time) = entries.filter_map(|entry| Some((entry, entry.time?))).max_by_key(|(_, time)| *time)?;
    Some(Written { manager: entry.manager.to_owned(), operation: entry.operation.to_owned(), time: time.to_owned() })
}

fn sorted(entry: &Entry<'_>, owners: &After<'_>, is_secret: bool) -> (Vec<FieldPath>, Vec<FieldPath>) {
    let (mut lost, mut left): (Vec<FieldPath>, Vec<FieldPath>) = (Vec::new(), Vec::new());
    owners.each_field_of(entry, &mut |mut path, owner| {
        if is_secret {
            drop_values(&mut path);
        }
        let names: Vec<&str> = path.iter().map(|segment| segment.name().unwrap_or_default()).collect();
        let list = match owner {
            Owner::We => &mut lost,
            Owner::They => &mut left,
        };
        if !is_left_out(&names) && list.last().is_none_or(|last| last.segments() != path) {
            list.push(path.into());
        }
    });
    (lost, left)
}

/// Cuts the path of a Secret's field before anything that could be a value: a Secret may be written in a wrong form.
fn drop_values(path: &mut Vec<Segment>) {
    let is_data = |segment: &Segment| segment.name().is_some_and(|name| secret::FIELDS.contains(&name));
    let Some(data) = path.iter().position(is_data) else { return };
    let is_named = path.get(data + 1).is_some_and(|segment| segment.name().is_some());
    path.truncate(data + 1 + usize::from(is_named));
}
