//! Both sides of a comparison written into one list of lines, from top to bottom. Follows the tree of what is different, so that items of
//! lists stand beside each other by their keys, and looks for nothing itself.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::align::{Aligned, Alignment, Keys, Tree};
use super::sequence::{self, Step};
use super::yaml;
use crate::model::{FieldPath, Segment};

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Same,
    Removed,
    Added,
}

/// A line, and the number of the place that it is directly below.
#[derive(Debug)]
pub(super) struct Full<'a> {
    pub(super) fate: Fate,
    pub(super) indent: usize,
    pub(super) text: Text<'a>,
    pub(super) place: usize,
}

/// What stands in a line. Put together only when it is shown: most lines of a large object are not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    has_dash: bool,
    label: Label<'a>,
    part: Part<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Label<'a> {
    Nothing,
    Dash,
    Field(&'a str),
}

#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Nothing,
    /// A value of one line.
    Value(&'a Value),
    /// A part of YAML as it is.
    Raw(&'a str),
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_dash {
            f.write_str("- ")?;
        }
        match self.label {
            Label::Nothing => {}
            Label::Dash => f.write_str("-")?,
            Label::Field(name) => write!(f, "{}:", yaml::name(name))?,
        }
        let gap = if matches!(self.label, Label::Nothing) { "" } else { " " };
        match self.part {
            Part::Nothing => Ok(()),
            Part::Value(value) => write!(f, "{gap}{}", yaml::inline(value).unwrap_or_default()),
            Part::Raw(text) => write!(f, "{gap}{text}"),
        }
    }
}

/// A map, a list or a text of several lines in which something is different. The first one is the object.
#[derive(Debug)]
struct Place {
    parent: usize,
    depth: usize,
    indent: usize,
    segment: Option<Segment>,
}

/// The lines, and the places that they are in.
#[derive(Debug)]
pub(super) struct Unified<'a> {
    pub(super) lines: Vec<Full<'a>>,
    places: Vec<Place>,
}

impl Default for Unified<'_> {
    fn default() -> Self {
        Self { lines: Vec::new(), places: vec![Place { parent: 0, depth: 0, indent: 0, segment: None }] }
    }
}

/// Where a line is written.
#[derive(Clone, Copy, Debug)]
struct Spot {
    place: usize,
    indent: usize,
    /// Behind the dash of an item, two columns to the left; with the place of the list.
    dash: Option<usize>,
}

impl Spot {
    fn at(place: usize, indent: usize) -> Self {
        Self { place, indent, dash: None }
    }

    /// Returns the spot of what is below a field here.
    fn below(self, place: usize, by: usize) -> Self {
        Self::at(place, self.indent + by)
    }
}

impl<'a> Unified<'a> {
    /// Writes an object that is on one side only.
    pub(super) fn whole(&mut self, fate: Fate, object: &'a Value) {
        match object {
            Value::Object(fields) if !fields.is_empty() => self.fields(fate, fields, Spot::at(0, 0)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.value(fate, Label::Nothing, object, Spot::at(0, 0));
            }
        }
    }

    /// Writes an object that is on both sides.
    pub(super) fn pair(&mut self, before: &'a Value, after: &'a Value, tree: &Tree) {
        match (before, after, tree) {
            (Value::Object(before), Value::Object(after), Tree::Map(different)) => {
                let names = names(before, after, &[]);
                self.maps((before, after), &names, different, Spot::at(0, 0));
            }
            (Value::Array(before), Value::Array(after), tree) => self.lists(before, after, tree, Spot::at(0, 0)),
            _ => {
                self.whole(Fate::Removed, before);
                self.whole(Fate::Added, after);
            }
        }
    }

    /// Returns the innermost place that two places are in.
    pub(super) fn common(&self, mut one: usize, mut other: usize) -> usize {
        while one != other {
            if self.places[one].depth >= self.places[other].depth {
                one = self.places[one].parent;
            } else {
                other = self.places[other].parent;
            }
        }
        one
    }

    /// Returns the path of a place.
    pub(super) fn path(&self, place: usize) -> FieldPath {
        let up = |at: &usize| (*at != 0).then(|| self.places[*at].parent);
        let mut segments: Vec<Segment> = std::iter::successors(Some(place), up).filter_map(|at| self.places[at].segment.clone()).collect();
        segments.reverse();
        segments.into()
    }

    /// Returns the indentation of what is directly below a place.
    pub(super) fn indent(&self, place: usize) -> usize {
        self.places[place].indent
    }

    fn open(&mut self, spot: Spot, segment: Segment, indent: usize) -> usize {
        let depth = self.places[spot.place].depth + 1;
        self.places.push(Place { parent: spot.place, depth, indent, segment: Some(segment) });
        self.places.len() - 1
    }

    fn line(&mut self, fate: Fate, (label, part): (Label<'a>, Part<'a>), spot: Spot) {
        let text = Text { has_dash: spot.dash.is_some(), label, part };
        self.lines.push(match spot.dash {
            Some(list) => Full { fate, indent: spot.indent.saturating_sub(2), text, place: list },
            None => Full { fate, indent: spot.indent, text, place: spot.place },
        });
    }
}

/// What is on both sides.
impl<'a> Unified<'a> {
    fn maps(
        &mut self,
        sides: (&'a Map<String, Value>, &'a Map<String, Value>),
        names: &[&'a String],
        different: &BTreeMap<String, Tree>,
        spot: Spot,
    ) {
        let (before, after) = sides;
        for (at, name) in names.iter().enumerate() {
            let spot = if at == 0 { spot } else { Spot { dash: None, ..spot } };
            match (before.get(*name), after.get(*name)) {
                (Some(before), Some(after)) => {
                    self.field(name, (before, after), different.get(*name).unwrap_or(&Tree::Leaf), spot);
                }
                (Some(before), None) => self.value(Fate::Removed, Label::Field(name), before, spot),
                (None, Some(after)) => self.value(Fate::Added, Label::Field(name), after, spot),
                (None, None) => {}
            }
        }
    }

    fn field(&mut self, name: &'a str, (before, after): (&'a Value, &'a Value), tree: &Tree, spot: Spot) {
        let segment = || Segment::Field(name.to_owned());
        match (before, after, tree) {
            (before, after, _) if before == after => self.value(Fate::Same, Label::Field(name), before, spot),
            (Value::Object(before), Value::Object(after), Tree::Map(different)) if !before.is_empty() && !after.is_empty() => {
                self.line(Fate::Same, (Label::Field(name), Part::Nothing), spot);
                let place = self.open(spot, segment(), spot.indent + 2);
                self.maps((before, after), &names(before, after, &[]), different, spot.below(place, 2));
            }
            (Value::Array(before), Value::Array(after), tree) if !before.is_empty() && !after.is_empty() => {
                self.line(Fate::Same, (Label::Field(name), Part::Nothing), spot);
                let place = self.open(spot, segment(), spot.indent);
                self.lists(before, after, tree, spot.below(place, 0));
            }
            (Value::String(old), Value::String(new), _) if self.texts(name, (old, new), spot) => {}
            (before, after, _) => {
                self.value(Fate::Removed, Label::Field(name), before, spot);
                self.value(Fate::Added, Label::Field(name), after, spot);
            }
        }
    }

    /// Writes two texts of several lines by their lines. Returns whether they are that.
    fn texts(&mut self, name: &'a str, (before, after): (&'a str, &'a str), spot: Spot) -> bool {
        let (Some(before), Some(after)) = (yaml::block(before), yaml::block(after)) else { return false };
        if before.head == after.head {
            self.line(Fate::Same, (Label::Field(name), Part::Raw(before.head)), spot);
        } else {
            self.line(Fate::Removed, (Label::Field(name), Part::Raw(before.head)), spot);
            self.line(Fate::Added, (Label::Field(name), Part::Raw(after.head)), spot);
        }
        let place = self.open(spot, Segment::Field(name.to_owned()), spot.indent + 2);
        let spot = spot.below(place, 2);
        for step in sequence::steps(&before.lines, &after.lines) {
            match step {
                Step::Both(at, _) => self.line(Fate::Same, (Label::Nothing, Part::Raw(before.lines[at])), spot),
                Step::Removed(at) => self.line(Fate::Removed, (Label::Nothing, Part::Raw(before.lines[at])), spot),
                Step::Added(at) => self.line(Fate::Added, (Label::Nothing, Part::Raw(after.lines[at])), spot),
            }
        }
        true
    }

    fn lists(&mut self, before: &'a [Value], after: &'a [Value], tree: &Tree, spot: Spot) {
        let none = (Alignment::Whole, BTreeMap::new());
        let (alignment, pairs) = match tree {
            Tree::List(aligned) => {
                let Aligned { alignment, pairs } = &**aligned;
                (alignment, pairs)
            }
            Tree::Leaf | Tree::Map(_) => (&none.0, &none.1),
        };
        let keys = match alignment {
            Alignment::Keyed(keys) => keys.names.as_slice(),
            Alignment::Members(_) | Alignment::Whole | Alignment::Places { .. } => &[],
        };
        for step in steps(before, after, alignment) {
            match step {
                Step::Both(old, new) => {
                    let tree = pairs.get(&old).filter(|(place, _)| *place == new).map_or(&Tree::Leaf, |(_, tree)| tree);
                    let segment = segment(alignment, &before[old], old);
                    self.items((&before[old], &after[new]), tree, (segment, keys), spot);
                }
                Step::Removed(at) => self.item(Fate::Removed, &before[at], keys, spot),
                Step::Added(at) => self.item(Fate::Added, &after[at], keys, spot),
            }
        }
    }

    fn items(&mut self, (before, after): (&'a Value, &'a Value), tree: &Tree, (segment, keys): (Segment, &[String]), spot: Spot) {
        if before == after {
            return self.item(Fate::Same, before, keys, spot);
        }
        match (before, after, tree) {
            (Value::Object(before), Value::Object(after), Tree::Map(different)) => {
                let mut names = names(before, after, keys);
                // The first line has the dash of both sides.
                if let Some(common) = names.iter().position(|name| before.contains_key(*name) && after.contains_key(*name)) {
                    names[..=common].rotate_right(1);
                    let place = self.open(spot, segment, spot.indent + 2);
                    let first = Spot { dash: Some(spot.place), ..spot.below(place, 2) };
                    return self.maps((before, after), &names, different, first);
                }
            }
            (Value::Array(before), Value::Array(after), tree) if !before.is_empty() && !after.is_empty() => {
                self.line(Fate::Same, (Label::Dash, Part::Nothing), spot);
                let place = self.open(spot, segment, spot.indent + 2);
                return self.lists(before, after, tree, spot.below(place, 2));
            }
            _ => {}
        }
        self.item(Fate::Removed, before, keys, spot);
        self.item(Fate::Added, after, keys, spot);
    }
}

/// What is on one side, or the same on both.
impl<'a> Unified<'a> {
    fn fields(&mut self, fate: Fate, fields: &'a Map<String, Value>, spot: Spot) {
        self.sorted(fate, fields, &[], spot);
    }

    fn sorted(&mut self, fate: Fate, fields: &'a Map<String, Value>, keys: &[String], spot: Spot) {
        for (at, name) in names(fields, fields, keys).into_iter().enumerate() {
            let spot = if at == 0 { spot } else { Spot { dash: None, ..spot } };
            self.value(fate, Label::Field(name), &fields[name], spot);
        }
    }

    /// Writes a value behind its label.
    fn value(&mut self, fate: Fate, label: Label<'a>, value: &'a Value, spot: Spot) {
        if let Some(block) = value.as_str().and_then(yaml::block) {
            self.line(fate, (label, Part::Raw(block.head)), spot);
            let below = spot.below(spot.place, 2);
            block.lines.into_iter().for_each(|line| self.line(fate, (Label::Nothing, Part::Raw(line)), below));
        } else if yaml::is_inline(value) {
            self.line(fate, (label, Part::Value(value)), spot);
        } else {
            if !matches!(label, Label::Nothing) {
                self.line(fate, (label, Part::Nothing), spot);
            }
            match value {
                Value::Object(fields) => self.fields(fate, fields, spot.below(spot.place, 2)),
                Value::Array(items) => items.iter().for_each(|item| self.item(fate, item, &[], spot.below(spot.place, 0))),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }

    fn item(&mut self, fate: Fate, item: &'a Value, keys: &[String], spot: Spot) {
        match item {
            Value::Object(fields) if !fields.is_empty() => {
                let first = Spot { dash: Some(spot.place), ..spot.below(spot.place, 2) };
                self.sorted(fate, fields, keys, first);
            }
            Value::Array(items) if !items.is_empty() => {
                self.line(fate, (Label::Dash, Part::Nothing), spot);
                items.iter().for_each(|item| self.item(fate, item, &[], spot.below(spot.place, 2)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.value(fate, Label::Dash, item, spot);
            }
        }
    }
}

/// Returns how the items follow each other. Items that have moved go at one place and come at another.
fn steps(before: &[Value], after: &[Value], alignment: &Alignment) -> Vec<Step> {
    match alignment {
        Alignment::Keyed(Keys { before, after, .. }) | Alignment::Members(Keys { before, after, .. }) => sequence::steps(before, after),
        Alignment::Places { end, .. } => {
            let (old, new) = (before.len() - end, after.len() - end);
            let pairs = old.min(new);
            let both = (0..pairs).map(|at| Step::Both(at, at));
            let removed = (pairs..old).map(Step::Removed);
            let added = (pairs..new).map(Step::Added);
            let tail = (0..*end).map(|at| Step::Both(old + at, new + at));
            both.chain(removed).chain(added).chain(tail).collect()
        }
        Alignment::Whole => {
            let texts = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>();
            sequence::steps(&texts(before), &texts(after))
        }
    }
}

fn segment(alignment: &Alignment, item: &Value, index: usize) -> Segment {
    match alignment {
        Alignment::Keyed(keys) | Alignment::Members(keys) => keys.segment(item),
        Alignment::Whole | Alignment::Places { .. } => Segment::Index(index),
    }
}

/// Returns the names of two maps in the order in which people write them: what an item is told apart by, what it is called, the rest.
fn names<'a>(before: &'a Map<String, Value>, after: &'a Map<String, Value>, keys: &[String]) -> Vec<&'a String> {
    let rank = |name: &String| {
        let key = keys.iter().position(|key| key == name);
        let known = ["apiVersion", "kind", "name", "metadata"].iter().position(|known| known == name);
        key.or(known.map(|known| keys.len() + known)).unwrap_or(usize::MAX)
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    names.sort_by_cached_key(|name| (rank(name), *name));
    names
}
