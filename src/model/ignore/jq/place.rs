//! From a path of jq to where it is in an object. Runs nothing.

use std::ops::Range;

use jaq_json::Val;
use jaq_std::ValT as _;
use serde_json::Value;

use super::super::{Place, Step};

/// The fields that a path means.
pub(super) struct Found {
    steps: Vec<Step>,
    /// The items in a part of an array.
    part: Option<Range<usize>>,
}

impl Found {
    /// How many steps all places have together.
    pub(super) fn size(&self) -> u64 {
        let places = self.part.as_ref().map_or(1, Range::len);
        (places as u64).saturating_mul(1 + self.steps.len() as u64)
    }

    pub(super) fn places(self) -> Vec<Place> {
        let Self { steps, part } = self;
        match part {
            None => vec![Place(steps)],
            Some(part) => part.map(|at| Place(steps.iter().cloned().chain([Step::Index(at)]).collect())).collect(),
        }
    }
}

/// Returns the fields that a path means: several for a part of an array, none if it leads nowhere. A step into a part of an array is one into
/// the array.
pub(super) fn found(path: &Val, document: &Value) -> Option<Found> {
    let Val::Arr(path) = path else { return None };
    let (mut steps, mut part, mut value) = (Vec::new(), None::<Range<usize>>, Some(document));
    for key in path.iter() {
        let items = value.and_then(Value::as_array).map(Vec::len);
        let step = match key {
            Val::TStr(name) if part.is_none() => std::str::from_utf8(name).ok().map(|name| Step::Key(name.into())),
            Val::Num(_) => index(key, part.take(), items).map(Step::Index),
            Val::Obj(_) => {
                let all = 0..items?;
                part = Some(slice(key, part.take().unwrap_or(all)));
                continue;
            }
            Val::TStr(_) | Val::Null | Val::Bool(_) | Val::BStr(_) | Val::Arr(_) => None,
        }?;
        value = value.and_then(|value| step.of(value));
        steps.push(step);
    }
    Some(Found { steps, part })
}

/// Returns an index from the start of the array; those below 0 are from the end.
fn index(key: &Val, part: Option<Range<usize>>, items: Option<usize>) -> Option<usize> {
    let at = key.as_isize()?;
    let Some(part) = part.or(items.map(|items| 0..items)) else { return usize::try_from(at).ok() };
    let at = if at < 0 { part.len().checked_sub(at.unsigned_abs())? } else { at.unsigned_abs() };
    Some(part.start.saturating_add(at)).filter(|at| part.contains(at))
}

fn slice(key: &Val, part: Range<usize>) -> Range<usize> {
    let Val::Obj(bounds) = key else { return part };
    let bound = |name: &str, or: usize| {
        let Some(at) = bounds.get(&Val::from(name.to_owned())).and_then(|bound| bound.as_isize()) else { return or };
        let at = if at < 0 { part.len().saturating_sub(at.unsigned_abs()) } else { at.unsigned_abs().min(part.len()) };
        part.start + at
    };
    bound("start", part.start)..bound("end", part.end)
}
