//! From a path of jq to where it is in an object. Runs nothing.

use std::ops::Range;

use jaq_json::Val;
use jaq_std::ValT as _;
use serde_json::Value;

use super::super::{Place, Step};

/// Returns the fields that a path means: several for a part of an array, none if it leads nowhere. A step into a part of an array is one into
/// the array.
pub(super) fn places(path: &Val, document: &Value) -> Vec<Place> {
    let Val::Arr(path) = path else { return Vec::new() };
    let (mut steps, mut part) = (Vec::new(), None::<Range<usize>>);
    for key in path.iter() {
        let value = steps.iter().try_fold(document, |value, step: &Step| step.of(value));
        let items = value.and_then(Value::as_array).map(Vec::len);
        let step = match key {
            Val::TStr(name) if part.is_none() => std::str::from_utf8(name).ok().map(|name| Step::Key(name.into())),
            Val::Num(_) => index(key, part.take(), items).map(Step::Index),
            Val::Obj(_) => {
                part = items.map(|items| slice(key, part.take().unwrap_or(0..items)));
                if part.is_none() {
                    return Vec::new();
                }
                continue;
            }
            Val::TStr(_) | Val::Null | Val::Bool(_) | Val::BStr(_) | Val::Arr(_) => None,
        };
        let Some(step) = step else { return Vec::new() };
        steps.push(step);
    }
    match part {
        None => vec![Place(steps)],
        Some(part) => part.map(|at| Place(steps.iter().cloned().chain([Step::Index(at)]).collect())).collect(),
    }
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
