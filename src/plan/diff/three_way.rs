//! What an apply would make of an object, without asking the server: for those who may read but not dry-run. An approximation: it knows
//! neither the defaults of the server nor webhooks, nor what the server refuses. That a list or a map is one value, or that a list has keys,
//! it knows only from those who own fields of it; where nobody does, lists are told apart as in a comparison.

mod owned;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::align::{self, Identity};
use super::normalize::without_nulls;
use crate::model::annotation::LAST_APPLIED;
use crate::model::managed::{self, Entry};
use crate::model::secret;
use owned::Owned;

/// Returns the live object with what the target says in it, and without what we applied before and the target does not have any more. What
/// that is, our entry in `managedFields` knows, or else the annotation that kubectl writes; without either, nothing is taken out. The
/// answer says who would own what, as that of a dry run does.
pub(crate) fn three_way(live: &Value, target: &Value) -> Value {
    let target = sendable(target);
    let all = managed::joined(Entry::all(live).map(|entry| entry.fields));
    let foreign = managed::joined(Entry::all(live).filter(|entry| !entry.is_ours()).map(|entry| entry.fields));
    let base = applied_before(live, &all);
    let mut merged = live.clone();
    let owned = Owned { base: Some(&base), foreign: Some(&foreign), all: Some(&all) };
    let changed = match (&mut merged, &target) {
        (Value::Object(merged), Value::Object(target)) => merge_maps(merged, target, owned),
        (merged, target) => replace(merged, target),
    };
    owned::note(&mut merged, owned::fields_of(&target, Some(&all)), &changed.unwrap_or_default());
    merged
}

/// Returns what an apply sends of a target.
fn sendable(target: &Value) -> Value {
    let mut target = without_nulls(target);
    if secret::is_secret(&target) {
        secret::join_plain_text(&mut target);
    }
    if let Some(fields) = target.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = target.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !super::normalize::is_servers(name));
    }
    target
}

/// Returns what we have applied before, as a set of fields.
fn applied_before(live: &Value, all: &Value) -> Value {
    let ours = managed::joined(Entry::all(live).filter(Entry::is_ours).map(|entry| entry.fields));
    if ours.is_object() {
        return ours.into_owned();
    }
    let text = live["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap_or_default();
    serde_json::from_str(text).map_or(Value::Null, |applied: Value| owned::fields_of(&without_nulls(&applied), Some(all)))
}

/// Puts a target into what is live. Returns what has another value now, as a set of fields; `None` if nothing has.
fn merge(live: &mut Value, target: &Value, owned: Owned<'_>) -> Option<Value> {
    match (&mut *live, target) {
        // Who owns an empty map looks like the owner of one value; to put an empty map into another changes nothing.
        (Value::Object(live), Value::Object(target)) if target.is_empty() || !owned.is_whole() => merge_maps(live, target, owned),
        (Value::Array(items), Value::Array(wanted)) if owned.all.is_some() || !wanted.is_empty() => match owned.identity(items, wanted) {
            Some(Identity::Keyed(names)) => merge_keyed(items, wanted, &names, owned),
            Some(Identity::Set) => merge_sets(items, wanted, owned),
            Some(Identity::Unknown) | None => replace(live, target),
        },
        _ => replace(live, target),
    }
}

fn replace(live: &mut Value, target: &Value) -> Option<Value> {
    (live != target).then(|| {
        live.clone_from(target);
        Value::Object(Map::new())
    })
}

fn merge_maps(live: &mut Map<String, Value>, target: &Map<String, Value>, owned: Owned<'_>) -> Option<Value> {
    let mut changed = Map::new();
    for (name, wanted) in target {
        let key = format!("f:{name}");
        match live.get_mut(name) {
            Some(live) => {
                let below = owned.below(&key);
                changed.extend(merge(live, wanted, below).map(|below| (key, below)));
            }
            None => drop(live.insert(name.clone(), wanted.clone())),
        }
    }
    for (key, _) in owned.base.into_iter().flat_map(managed::children) {
        let Some(name) = key.strip_prefix("f:").filter(|name| !target.contains_key(*name)) else { continue };
        if live.get_mut(name).is_some_and(|live| is_gone(live, owned.below(key))) {
            live.remove(name);
        }
    }
    (!changed.is_empty()).then_some(Value::Object(changed))
}

fn merge_keyed(live: &mut Vec<Value>, target: &[Value], names: &[String], owned: Owned<'_>) -> Option<Value> {
    let key = |item: &Value| align::item(item, names).and_then(|segment| managed::keys(&segment).next());
    let (keys, wanted): (Vec<_>, Vec<_>) = (live.iter().map(key).collect(), target.iter().map(key).collect());
    let is_wanted: HashSet<&str> = wanted.iter().flatten().map(String::as_str).collect();
    let mut changed = Map::new();
    let mut chains = Chains::new(std::mem::take(live).into_iter().zip(&keys), |key| is_wanted.contains(key));
    chains.retain(|item, key| !key.is_some_and(|key| is_gone(item, owned.below(key))));
    live.extend(chains.first());
    for (item, key) in target.iter().zip(&wanted) {
        let key = key.as_deref().unwrap_or_default();
        let mut chain = chains.take(key);
        match chain.first_mut() {
            Some(own) => changed.extend(merge(own, item, owned.below(key)).map(|below| (key.to_owned(), below))),
            None => chain.push(item.clone()),
        }
        live.append(&mut chain);
    }
    (!changed.is_empty()).then_some(Value::Object(changed))
}

/// Items of a list, each with its key; those that a target does not have follow the item that they followed before.
#[derive(Default)]
struct Chains<'k> {
    /// What comes before all items that the target has.
    first: Vec<(Value, Option<&'k str>)>,
    /// Items that the target has, each with what follows it.
    rest: HashMap<&'k str, Vec<(Value, Option<&'k str>)>>,
}

impl<'k> Chains<'k> {
    fn new(items: impl Iterator<Item = (Value, &'k Option<String>)>, is_wanted: impl Fn(&str) -> bool) -> Self {
        let mut chains = Self::default();
        let mut head = None;
        for (item, key) in items {
            let key = key.as_deref();
            head = key.filter(|key| is_wanted(key)).or(head);
            let chain = head.map_or(&mut chains.first, |head| chains.rest.entry(head).or_default());
            chain.push((item, key));
        }
        chains
    }

    /// Takes out items that follow others, or that come before all.
    fn retain(&mut self, mut is_kept: impl FnMut(&mut Value, Option<&'k str>) -> bool) {
        self.first.retain_mut(|(item, key)| is_kept(item, *key));
        for (head, chain) in &mut self.rest {
            chain.retain_mut(|(item, key)| *key == Some(*head) || is_kept(item, *key));
        }
    }

    fn first(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.first).into_iter().map(|(item, _)| item).collect()
    }

    fn take(&mut self, head: &str) -> Vec<Value> {
        self.rest.remove(head).into_iter().flatten().map(|(item, _)| item).collect()
    }
}

fn merge_sets(live: &mut Vec<Value>, target: &[Value], owned: Owned<'_>) -> Option<Value> {
    let texts = |items: &[Value]| items.iter().map(Value::to_string).collect::<HashSet<_>>();
    let (there, wanted) = (texts(live), texts(target));
    live.retain(|member| {
        let text = member.to_string();
        let below = owned.below(&format!("v:{text}"));
        wanted.contains(&text) || below.base.is_none() || below.foreign.is_some()
    });
    live.extend(target.iter().filter(|member| !there.contains(&member.to_string())).cloned());
    None
}

/// Takes out of a value what we applied and nobody else owns. Returns whether the value itself is to go.
fn is_gone(live: &mut Value, owned: Owned<'_>) -> bool {
    let Some(base) = owned.base else { return false };
    let is_ours_alone = owned.foreign.is_none();
    if managed::is_leaf(base) || base.get(".").is_some() && is_ours_alone {
        return is_ours_alone;
    }
    match live {
        Value::Object(fields) => fields.retain(|name, value| !is_gone(value, owned.below(&format!("f:{name}")))),
        Value::Array(items) => match owned.identity(items, &[]) {
            Some(Identity::Keyed(names)) => items.retain_mut(|item| {
                let key = align::item(item, &names).and_then(|segment| managed::keys(&segment).next());
                !key.is_some_and(|key| is_gone(item, owned.below(&key)))
            }),
            Some(Identity::Set) => items.retain_mut(|item| {
                let key = format!("v:{item}");
                !is_gone(item, owned.below(&key))
            }),
            Some(Identity::Unknown) | None => {}
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    let is_empty = live.as_object().is_some_and(Map::is_empty) || live.as_array().is_some_and(Vec::is_empty);
    is_ours_alone && is_empty
}
