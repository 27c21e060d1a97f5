//! Walks both sides at once and collects what is different. Looks only into what differs, so that the size of the rest does not matter.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::align::{self, Aligned, Alignment, Keys, Tree};
use super::attribute::{At, Level, Owners};
use super::{Cause, FieldChange, quantity};
use crate::model::{FieldPath, Segment};

/// Returns what is different. Amounts that are the same in another notation are put into `after` as they are written before.
pub(super) fn changes(before: Option<&Value>, after: Option<&mut Value>, owners: &Owners<'_>) -> (Vec<FieldChange>, Tree) {
    let kind = before.or(after.as_deref()).map_or("", |object| object["kind"].as_str().unwrap_or_default()).to_owned();
    let mut walk = Walk { kind, path: Vec::new(), found: Vec::new() };
    let tree = match (before, after) {
        (Some(before), Some(after)) => walk.values(before, after, &owners.root()),
        (Some(before), None) => walk.report(Some(before), None, Cause::Removed),
        (None, Some(after)) => walk.report(None, Some(after), Cause::Ours),
        (None, None) => Tree::Leaf,
    };
    (walk.found, tree)
}

struct Walk {
    kind: String,
    path: Vec<Segment>,
    found: Vec<FieldChange>,
}

impl Walk {
    fn values(&mut self, before: &Value, after: &mut Value, at: &At<'_, '_>) -> Tree {
        match (before, &mut *after) {
            (Value::Object(before), Value::Object(after)) => self.maps(before, after, at),
            (Value::Array(before), Value::Array(after)) => self.lists(before, after, at),
            (before, after) if before == after => Tree::Leaf,
            (before, after) if quantity::is_at(&self.kind, &self.path) && quantity::is_same(before, after) => {
                after.clone_from(before);
                Tree::Leaf
            }
            (before, after) => self.report(Some(before), Some(after), at.cause()),
        }
    }

    fn maps(&mut self, before: &Map<String, Value>, after: &mut Map<String, Value>, at: &At<'_, '_>) -> Tree {
        let mut different = BTreeMap::new();
        let mut names: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
        names.sort_unstable();
        names.dedup();
        let level = at.level();
        for name in names {
            let (old, new) = (before.get(&name), after.get_mut(&name));
            if old == new.as_deref() {
                continue;
            }
            let tree = self.step(&level, Segment::Field(name.clone()), old, new);
            different.insert(name, tree);
        }
        Tree::Map(different)
    }

    /// Compares what both sides have one step further down.
    fn step(&mut self, level: &Level<'_, '_>, segment: Segment, before: Option<&Value>, after: Option<&mut Value>) -> Tree {
        let at = level.at(&segment);
        self.path.push(segment);
        let tree = match (before, after) {
            (Some(before), Some(after)) => self.values(before, after, &at),
            (before, after) => self.report(before, after.as_deref(), at.cause()),
        };
        self.path.pop();
        tree
    }

    fn lists(&mut self, before: &[Value], after: &mut [Value], at: &At<'_, '_>) -> Tree {
        if before == after {
            return Tree::Leaf;
        }
        let alignment = align::align(before, after, &at.identity());
        let pairs = match &alignment {
            Alignment::Whole => {
                let list = |items: &[Value]| Value::Array(items.to_vec());
                return self.report(Some(&list(before)), Some(&list(after)), at.cause());
            }
            Alignment::Keyed(keys) => self.keyed(keys, before, after, at),
            Alignment::Members(keys) => self.keyed(keys, before, after, at),
            Alignment::Places { start, end } => self.places(*start..before.len() - end, before, (after, *end), at),
        };
        Tree::List(Box::new(Aligned { alignment, pairs }))
    }

    fn keyed(&mut self, keys: &Keys, before: &[Value], after: &mut [Value], at: &At<'_, '_>) -> BTreeMap<usize, (usize, Tree)> {
        let (places, level) = (keys.places(), at.level());
        let mut pairs = BTreeMap::new();
        for (index, old) in before.iter().enumerate() {
            let place = places.get(keys.before[index].as_str()).copied();
            let new = place.map(|place| &mut after[place]);
            if Some(old) == new.as_deref() {
                continue;
            }
            let tree = self.step(&level, keys.segment(old), Some(old), new);
            pairs.extend(place.map(|place| (index, (place, tree))));
        }
        let old: std::collections::HashSet<&String> = keys.before.iter().collect();
        for (new, key) in after.iter_mut().zip(&keys.after) {
            if !old.contains(key) {
                self.step(&level, keys.segment(new), None, Some(new));
            }
        }
        if keys.is_reordered() {
            self.path.push(Segment::Order);
            self.report(Some(&Value::from(keys.before.clone())), Some(&Value::from(keys.after.clone())), at.cause());
            self.path.pop();
        }
        pairs
    }

    /// Compares the items from `range.start` on, up to `range.end` before and the same distance from the end after.
    fn places(
        &mut self,
        range: std::ops::Range<usize>,
        before: &[Value],
        (after, end): (&mut [Value], usize),
        at: &At<'_, '_>,
    ) -> BTreeMap<usize, (usize, Tree)> {
        let level = at.level();
        let stop = after.len() - end;
        let mut pairs = BTreeMap::new();
        for index in range.start..range.end.max(stop) {
            let old = before.get(index).filter(|_| index < range.end);
            let new = after.get_mut(index).filter(|_| index < stop);
            if old == new.as_deref() {
                continue;
            }
            let is_pair = old.is_some() && new.is_some();
            let tree = self.step(&level, Segment::Index(index), old, new);
            pairs.extend(is_pair.then_some((index, (index, tree))));
        }
        pairs
    }

    fn report(&mut self, before: Option<&Value>, after: Option<&Value>, cause: Cause) -> Tree {
        let path = FieldPath::from(self.path.clone());
        self.found.push(FieldChange { path, before: before.cloned(), after: after.cloned(), cause });
        Tree::Leaf
    }
}
