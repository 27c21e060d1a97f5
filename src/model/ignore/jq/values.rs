//! jq's functions of values that jaq has not, has without a bound, or has otherwise than jq. Each counts before it makes something large;
//! must not know expressions.

use jaq_core::{Error, ValT as _};
use jaq_json::{Map, Num, Val};
use jaq_std::ValT as _;
use serde::Deserialize as _;
use serde_json::Value;

use super::meter::{Made, Meter, Stop, wrong};

/// Bytes of a text that may be a number.
const LONGEST_NUMBER: usize = 100;
/// Bytes of a text that count as one step when something is made of each letter.
const SPELLED: u64 = 4;
/// The same when it may be a value of two letters.
const PARSED: u64 = 2;
/// Above it a number need not be exact, so that it stays one with a point.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

pub(super) fn text(value: &Val) -> Result<&str, Stop> {
    value.as_utf8_bytes().and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(|| wrong("this is no text"))
}

/// Returns a number, as one without a point if it is whole.
fn number_of(number: f64) -> Val {
    let whole = number.fract() == 0.0 && number.abs() < LARGEST_EXACT;
    let digits = whole.then(|| format!("{number:.0}"));
    digits.and_then(|digits| digits.parse::<isize>().ok()).map_or_else(|| Val::from(number), Val::from)
}

fn float(value: &Val) -> Result<f64, Stop> {
    value.as_f64().ok_or_else(|| wrong("this is no number"))
}

pub(super) fn number(_: &Meter<'_>, value: &Val) -> Made {
    if matches!(value, Val::Num(_)) {
        return Ok(value.clone());
    }
    let digits = text(value)?;
    let is_plain = digits.len() <= LONGEST_NUMBER && digits.bytes().all(|letter| letter.is_ascii_digit() || b"-+.eE".contains(&letter));
    let number = Some(digits).filter(|_| is_plain && !digits.starts_with('+')).and_then(|digits| digits.parse::<f64>().ok());
    let number = number.ok_or_else(|| wrong("this is no number"))?;
    let is_whole = digits.trim_start_matches('-').bytes().all(|digit| digit.is_ascii_digit());
    if is_whole { Ok(Val::from_num(digits)?) } else { Ok(number_of(number)) }
}

/// As jq's: of a number what it is without its sign.
pub(super) fn length(_: &Meter<'_>, value: &Val) -> Made {
    Ok(match value {
        Val::Null => Val::from(0_usize),
        Val::Bool(_) => return Err(wrong("this has no length")),
        Val::Num(Num::Int(number)) if *number == isize::MIN => Val::from((*number as f64).abs()),
        Val::Num(Num::Int(number)) => Val::from(number.abs()),
        Val::Num(_) => mathematics(value, f64::abs)?,
        Val::TStr(_) | Val::BStr(_) => Val::from(text(value)?.chars().count()),
        Val::Arr(items) => Val::from(items.len()),
        Val::Obj(fields) => Val::from(fields.len()),
    })
}

pub(super) fn implode(_: &Meter<'_>, value: &Val) -> Made {
    let letter = |item: Val| {
        let letter = item.as_isize().and_then(|number| u32::try_from(number).ok()).and_then(char::from_u32);
        letter.ok_or_else(|| wrong("this is no letter"))
    };
    let Val::Arr(_) = value else { return Err(wrong("this is no list of letters")) };
    Ok(Val::from(items(value)?.into_iter().map(letter).collect::<Result<String, _>>()?))
}

pub(super) fn mathematics(value: &Val, of: fn(f64) -> f64) -> Made {
    float(value).map(|number| number_of(of(number)))
}

pub(super) fn mathematics_of_two(left: &Val, right: &Val, of: fn(f64, f64) -> f64) -> Made {
    Ok(number_of(of(float(left)?, float(right)?)))
}

/// A list as a key searches, which nothing counts; a number with a point is cut, as in jq.
pub(super) fn key(meter: &Meter<'_>, value: &Val) -> Made {
    meter.tick(value)?;
    match value {
        Val::Arr(_) | Val::Obj(_) => Err(wrong("this is no key")),
        Val::Num(Num::Float(_) | Num::Dec(_)) => mathematics(value, f64::floor),
        Val::Num(Num::Int(_) | Num::BigInt(_)) | Val::Null | Val::Bool(_) | Val::TStr(_) | Val::BStr(_) => Ok(value.clone()),
    }
}

pub(super) fn name(meter: &Meter<'_>, value: &Val) -> Made {
    meter.tick(value)?;
    text(value).map(|_| value.clone())
}

fn items(value: &Val) -> Result<Vec<Val>, Stop> {
    value.clone().values().map(|item| Ok(item?)).collect()
}

/// Lets through what may be written as a text.
pub(super) fn written(meter: &Meter<'_>, value: &Val) -> Made {
    let is_as_it_is = matches!(value, Val::TStr(_));
    if is_as_it_is { Ok(value.clone()) } else { meter.written(value).map(|()| value.clone()) }
}

/// `add`, with texts in one go: one after the other they would be copied again and again.
pub(super) fn sum(meter: &Meter<'_>, value: &Val) -> Made {
    meter.weigh(value)?;
    let items = items(value)?;
    if items.len() > 1 && items.iter().all(|item| matches!(item, Val::TStr(_))) {
        return Ok(Val::from(items.iter().map(text).collect::<Result<String, _>>()?));
    }
    items.into_iter().try_fold(Val::Null, |sum, item| Ok((sum + item)?))
}

pub(super) fn join(meter: &Meter<'_>, value: &Val, between: &Val) -> Made {
    meter.weigh(value)?;
    let items = items(value)?;
    if items.is_empty() {
        return Ok(Val::from(String::new()));
    }
    if !matches!(between, Val::Null) || items.len() > 1 {
        meter.tick(between)?;
    }
    let between = text(between)?;
    meter.spend((items.len() as u64).saturating_mul(1 + between.len() as u64 / 64))?;
    let words = items.into_iter().map(|item| match item {
        Val::Null => Ok(String::new()),
        Val::Bool(_) | Val::Num(_) => Ok(item.to_string()),
        Val::TStr(_) => text(&item).map(str::to_owned),
        Val::BStr(_) | Val::Arr(_) | Val::Obj(_) => Err(wrong("this cannot be joined")),
    });
    Ok(Val::from(words.collect::<Result<Vec<_>, _>>()?.join(between)))
}

pub(super) fn flatten(meter: &Meter<'_>, value: &Val, depth: &Val) -> Made {
    fn into(flat: &mut Vec<Val>, items: &[Val], depth: f64) {
        for item in items {
            match item {
                Val::Arr(inner) if depth > 0.0 => into(flat, inner, depth - 1.0),
                Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) | Val::Arr(_) | Val::Obj(_) => flat.push(item.clone()),
            }
        }
    }
    meter.weigh(value)?;
    let depth = float(depth)?;
    if depth < 0.0 {
        return Err(wrong("a depth is not below 0"));
    }
    let mut flat = Vec::new();
    into(&mut flat, &items(value)?, depth);
    Ok(flat.into_iter().collect())
}

pub(super) fn transposed(meter: &Meter<'_>, value: &Val) -> Made {
    let rows = items(value)?.iter().map(items).collect::<Result<Vec<_>, _>>()?;
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    meter.spend((rows.len() as u64).saturating_mul(longest as u64))?;
    let column = |at: usize| rows.iter().map(|row| row.get(at).cloned().unwrap_or_default()).collect();
    Ok((0..longest).map(column).collect())
}

/// A whole number is one without a point here too.
pub(super) fn plus(meter: &Meter<'_>, left: &Val, right: &Val) -> Made {
    meter.weigh(left).and_then(|()| meter.weigh(right))?;
    if is_inexact(left, right) { mathematics_of_two(left, right, |left, right| left + right) } else { Ok((left.clone() + right.clone())?) }
}

pub(super) fn minus(meter: &Meter<'_>, left: &Val, right: &Val) -> Made {
    meter.weigh(left).and_then(|()| meter.weigh(right))?;
    if is_inexact(left, right) { mathematics_of_two(left, right, |left, right| left - right) } else { Ok((left.clone() - right.clone())?) }
}

fn is_inexact(left: &Val, right: &Val) -> bool {
    let is_float = |value: &Val| matches!(value, Val::Num(Num::Float(_) | Num::Dec(_)));
    matches!((left, right), (Val::Num(_), Val::Num(_))) && (is_float(left) || is_float(right))
}

/// Comparisons look at all of both sides: an object is put in order for it.
pub(super) fn compared(meter: &Meter<'_>, left: &Val, right: &Val, of: fn(&Val, &Val) -> bool) -> Made {
    meter.weigh(left).and_then(|()| meter.weigh(right)).map(|()| Val::from(of(left, right)))
}

pub(super) fn times(meter: &Meter<'_>, left: &Val, right: &Val) -> Made {
    let repeated = |word: &Val, count: &Val| {
        let count = float(count)?;
        if count.is_nan() || count <= 0.0 {
            return Ok(Val::Null);
        }
        let word = text(word)?;
        let count = if count < 1.0 { 1 } else { count as u64 };
        meter.spend(count.saturating_mul(1 + word.len() as u64 / 64))?;
        Ok(Val::from(word.repeat(usize::try_from(count).map_err(|_| wrong("this is too often"))?)))
    };
    match (left, right) {
        (Val::Num(Num::Int(_) | Num::BigInt(_)), Val::Num(Num::Int(_) | Num::BigInt(_))) => meter.product(left, right)?,
        (Val::Num(_), Val::Num(_)) => return mathematics_of_two(left, right, |left, right| left * right),
        (Val::TStr(_), Val::Num(_)) => return repeated(left, right),
        (Val::Num(_), Val::TStr(_)) => return repeated(right, left),
        _ => meter.weigh(left).and_then(|()| meter.weigh(right))?,
    }
    Ok((left.clone() * right.clone())?)
}

pub(super) fn divided(meter: &Meter<'_>, left: &Val, right: &Val) -> Made {
    if let (Val::Num(Num::Int(left)), Val::Num(Num::Int(right))) = (left, right)
        && left.checked_rem(*right) == Some(0)
    {
        return Ok(Val::from(left / right));
    }
    if matches!(left, Val::TStr(_)) {
        return split(meter, left, right);
    }
    let (left, right) = (float(left)?, float(right)?);
    if right == 0.0 { Err(wrong("nothing can be divided by 0")) } else { Ok(number_of(left / right)) }
}

/// As in jq, what is behind the point does not count.
pub(super) fn remainder(_: &Meter<'_>, left: &Val, right: &Val) -> Made {
    let (left, right) = (float(left)?, float(right)?);
    if left.is_nan() || right.is_nan() {
        return Ok(Val::from(f64::NAN));
    }
    let (left, right) = (left as i64, (right as i64).unsigned_abs());
    let rest = left.unsigned_abs().checked_rem(right).ok_or_else(|| wrong("nothing can be divided by 0"))?;
    let rest = isize::try_from(rest).map_err(|_| wrong("this is too large"))?;
    Ok(Val::from(if left < 0 { -rest } else { rest }))
}

pub(super) fn split(meter: &Meter<'_>, value: &Val, between: &Val) -> Made {
    meter.tick(value).and_then(|()| meter.tick(between))?;
    let (letters, mark) = (text(value)?, text(between)?);
    meter.spend(if mark.is_empty() { letters.len() } else { letters.matches(mark).count() } as u64)?;
    Ok((value.clone() / between.clone())?)
}

pub(super) fn explode(meter: &Meter<'_>, value: &Val) -> Made {
    let letters = text(value)?;
    meter.spend(letters.len() as u64 / SPELLED)?;
    Ok(letters.chars().map(|letter| Val::from(letter as usize)).collect())
}

pub(super) fn bytes(_: &Meter<'_>, value: &Val) -> Made {
    text(value).map(|text| Val::from(text.len()))
}

pub(super) fn without_start(meter: &Meter<'_>, value: &Val, start: &Val) -> Made {
    meter.tick(start)?;
    Ok(trimmed(value, start, |text, start| text.strip_prefix(start)))
}

pub(super) fn without_end(meter: &Meter<'_>, value: &Val, end: &Val) -> Made {
    meter.tick(end)?;
    Ok(trimmed(value, end, |text, end| text.strip_suffix(end)))
}

fn trimmed(value: &Val, part: &Val, of: for<'t> fn(&'t str, &str) -> Option<&'t str>) -> Val {
    let (Ok(whole), Ok(part)) = (text(value), text(part)) else { return value.clone() };
    of(whole, part).map_or_else(|| value.clone(), |rest| value.as_sub_str(rest.as_bytes()))
}

/// The parser takes no more than 128 brackets in brackets.
pub(super) fn from_json(meter: &Meter<'_>, value: &Val) -> Made {
    let json = text(value)?;
    meter.spend(1 + json.len() as u64 / PARSED)?;
    let parsed: Value = serde_json::from_str(json).map_err(|_| wrong("this is no JSON"))?;
    Val::deserialize(&parsed).map_err(|_| wrong("this is no JSON"))
}

/// `map_values(f)`: what `f` makes of each value, first; none takes it out.
pub(super) fn map_values<'a>(
    value: &Val,
    mut of: impl FnMut(Val) -> Result<Option<Val>, jaq_core::Exn<'a, Val>>,
) -> Result<Val, jaq_core::Exn<'a, Val>> {
    match value {
        Val::Arr(items) => items.iter().filter_map(|item| of(item.clone()).transpose()).collect(),
        Val::Obj(fields) => {
            let mut mapped = Map::default();
            for (name, item) in fields.iter() {
                if let Some(item) = of(item.clone())? {
                    mapped.insert(name.clone(), item);
                }
            }
            Ok(Val::obj(mapped))
        }
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) => Err(Error::str("this has no values").into()),
    }
}

/// `walk(f)`: what `f` makes of a value in which it has been done to everything below.
pub(super) fn walk<'a>(
    meter: &Meter<'_>,
    value: &Val,
    of: &dyn Fn(Val) -> jaq_core::ValXs<'a, Val>,
) -> Result<Vec<Val>, jaq_core::Exn<'a, Val>> {
    meter.turn(value)?;
    let below = match value {
        Val::Arr(items) => {
            let mut walked = Vec::new();
            for item in items.iter() {
                walked.extend(walk(meter, item, of)?);
            }
            walked.into_iter().collect()
        }
        Val::Obj(_) => map_values(value, |item| Ok(walk(meter, &item, of)?.into_iter().next()))?,
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) => value.clone(),
    };
    of(below).collect()
}
