//! To whom a field belongs, before and after. Goes down the owners of both sides together with the walk over the values, so that owners
//! are read only where something differs.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::align::Identity;
use super::{Cause, Sides};
use crate::model::Segment;
use crate::model::managed::{self, Entry};

/// With more owners than this at one place, they are sorted by what they own there before anything is looked up.
const FEW: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Live,
    After,
}

/// The owners of both sides.
#[derive(Debug)]
pub(super) struct Owners<'a> {
    entries: Vec<Known<'a>>,
}

#[derive(Debug)]
struct Known<'a> {
    entry: Entry<'a>,
    side: Side,
    /// The same number for the same owner on both sides.
    owner: usize,
}

/// What one owner has at a place.
#[derive(Clone, Copy, Debug)]
struct Cursor<'a> {
    entry: usize,
    node: &'a Value,
}

/// The owners at one place in the object.
#[derive(Debug)]
pub(super) struct At<'o, 'a> {
    owners: &'o Owners<'a>,
    cursors: Vec<Cursor<'a>>,
    cover: Cover,
}

/// Who owns something around the place as one value.
#[derive(Clone, Copy, Debug, Default)]
struct Cover {
    was_ours: bool,
    is_ours: bool,
    /// Somebody else who does not own it any more.
    lost: Option<usize>,
}

/// The owners of what is one step below a place.
#[derive(Debug)]
pub(super) struct Level<'o, 'a> {
    owners: &'o Owners<'a>,
    cursors: &'o [Cursor<'a>],
    sorted: Option<HashMap<&'a str, Vec<Cursor<'a>>>>,
    cover: Cover,
}

impl<'a> Owners<'a> {
    pub(super) fn of(sides: &Sides<'a>) -> Self {
        let live = sides.live.into_iter().flat_map(Entry::all).map(|entry| (entry, Side::Live));
        let after = sides.after.into_iter().flat_map(Entry::all).map(|entry| (entry, Side::After));
        let mut numbers = HashMap::new();
        let entries = live.chain(after).map(|(entry, side)| {
            let next = numbers.len();
            Known { entry, side, owner: *numbers.entry(entry.owner()).or_insert(next) }
        });
        Self { entries: entries.collect() }
    }

    /// Returns the owners of the whole object.
    pub(super) fn root(&self) -> At<'_, 'a> {
        let cursors = self.entries.iter().enumerate().map(|(entry, known)| Cursor { entry, node: known.entry.fields });
        At { owners: self, cursors: cursors.collect(), cover: Cover::default() }
    }

    fn known(&self, cursor: &Cursor<'_>) -> &Known<'a> {
        &self.entries[cursor.entry]
    }

    /// Adds those who own a place to those who own something around it.
    fn cover(&self, around: Cover, cursors: &[Cursor<'_>]) -> Cover {
        let is_ours = |side| cursors.iter().map(|cursor| self.known(cursor)).any(|known| known.side == side && known.entry.is_ours());
        let kept: HashSet<usize> =
            cursors.iter().map(|cursor| self.known(cursor)).filter(|known| known.side == Side::After).map(|known| known.owner).collect();
        let is_lost = |entry: &usize| !kept.contains(&self.entries[*entry].owner);
        let had = |cursor: &&Cursor<'_>| {
            let known = self.known(cursor);
            known.side == Side::Live && !known.entry.is_ours()
        };
        let lost = cursors.iter().filter(had).map(|cursor| cursor.entry).find(is_lost);
        Cover {
            was_ours: around.was_ours || is_ours(Side::Live),
            is_ours: around.is_ours || is_ours(Side::After),
            lost: lost.or(around.lost.filter(is_lost)),
        }
    }
}

impl<'a> At<'_, 'a> {
    /// Returns why the field at this place changes.
    pub(super) fn cause(&self) -> Cause {
        let here = self.owners.cover(self.cover, &self.cursors);
        match (here.is_ours, here.lost) {
            (true, Some(lost)) => {
                let Entry { manager, operation, time, .. } = self.owners.entries[lost].entry;
                Cause::Taken { manager: manager.to_owned(), operation: operation.to_owned(), time: time.map(str::to_owned) }
            }
            (true, None) => Cause::Ours,
            (false, _) if here.was_ours => Cause::Removed,
            (false, _) => Cause::Defaulted,
        }
    }

    /// Returns what the owners say of the list at this place.
    pub(super) fn identity(&self) -> Identity {
        let first = |cursor: &Cursor<'a>| managed::children(cursor.node).next().and_then(|(key, _)| managed::segment(key));
        let known = self.cursors.iter().filter_map(first).find_map(|segment| Identity::of(&segment));
        known.unwrap_or(Identity::Unknown)
    }

    /// Returns the owners one step further down.
    pub(super) fn level(&self) -> Level<'_, 'a> {
        let whole: Vec<Cursor<'a>> = self.cursors.iter().copied().filter(|cursor| managed::is_leaf(cursor.node)).collect();
        let cover = self.owners.cover(self.cover, &whole);
        let sorted = (self.cursors.len() > FEW).then(|| {
            let mut sorted: HashMap<&'a str, Vec<Cursor<'a>>> = HashMap::new();
            for cursor in &self.cursors {
                for (key, node) in managed::children(cursor.node) {
                    sorted.entry(key).or_default().push(Cursor { node, ..*cursor });
                }
            }
            sorted
        });
        Level { owners: self.owners, cursors: &self.cursors, sorted, cover }
    }
}

impl<'a> Level<'_, 'a> {
    /// Returns the owners at one step from here.
    pub(super) fn at(&self, segment: &Segment) -> At<'_, 'a> {
        let cursors = match &self.sorted {
            Some(sorted) => managed::keys(segment).find_map(|key| sorted.get(&*key)).cloned().unwrap_or_default(),
            None => {
                let below = |cursor: &Cursor<'a>| managed::child(cursor.node, segment).map(|node| Cursor { node, ..*cursor });
                self.cursors.iter().filter_map(below).collect()
            }
        };
        At { owners: self.owners, cursors, cover: self.cover }
    }
}
