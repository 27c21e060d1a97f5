//! The functions that an expression may call: those that choose and describe, none that reads, writes or waits. Names are jq's.

use std::collections::HashMap;
use std::rc::Rc;

use jaq_core::ops::Math;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

use super::order::{compare, float, from_float, kind};
use super::run::{Machine, Stop, Val, error};

/// Compiled regular expressions, `None` for what is none.
pub(super) type Patterns = HashMap<String, Option<Rc<Regex>>>;

/// A function of values: the input and the arguments make one output.
pub(super) type Plain = fn(&mut Machine<'_>, &Value, &[Val<'_>]) -> Result<Value, Stop>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Empty,
    Error,
    Select,
    RecurseBy,
    First,
    Last,
    Limit,
    IsEmpty,
    Any,
    All,
    In,
    GetPath,
    Range,
    Plain(Plain),
}

/// Names, numbers of arguments, and what they are.
const FUNCTIONS: [(&str, usize, Function); 47] = [
    ("empty", 0, Function::Empty),
    ("error", 0, Function::Error),
    ("error", 1, Function::Error),
    ("select", 1, Function::Select),
    ("recurse", 1, Function::RecurseBy),
    ("first", 1, Function::First),
    ("last", 1, Function::Last),
    ("limit", 2, Function::Limit),
    ("isempty", 1, Function::IsEmpty),
    ("any", 2, Function::Any),
    ("all", 2, Function::All),
    ("IN", 1, Function::In),
    ("getpath", 1, Function::GetPath),
    ("range", 1, Function::Range),
    ("range", 2, Function::Range),
    ("not", 0, Function::Plain(|_, input, _| Ok(Value::Bool(!super::order::is_true(input))))),
    ("type", 0, Function::Plain(|_, input, _| Ok(Value::from(kind(input))))),
    ("length", 0, Function::Plain(|_, input, _| length(input))),
    ("keys", 0, Function::Plain(|_, input, _| keys(input))),
    ("keys_unsorted", 0, Function::Plain(|_, input, _| keys(input))),
    ("has", 1, Function::Plain(|_, input, given| has(input, &given[0]))),
    ("in", 1, Function::Plain(|_, input, given| has(&given[0], input))),
    ("contains", 1, Function::Plain(|machine, input, given| contains(machine, input, &given[0]).map(Value::Bool))),
    ("inside", 1, Function::Plain(|machine, input, given| contains(machine, &given[0], input).map(Value::Bool))),
    ("startswith", 1, Function::Plain(|_, input, given| texts(input, &given[0], |text, start| text.starts_with(start).into()))),
    ("endswith", 1, Function::Plain(|_, input, given| texts(input, &given[0], |text, end| text.ends_with(end).into()))),
    ("ltrimstr", 1, Function::Plain(|_, input, given| Ok(trimmed(input, &given[0], |text, part| text.strip_prefix(part))))),
    ("rtrimstr", 1, Function::Plain(|_, input, given| Ok(trimmed(input, &given[0], |text, part| text.strip_suffix(part))))),
    ("test", 1, Function::Plain(|machine, input, given| test(machine, input, &given[0], &Value::Null))),
    ("test", 2, Function::Plain(|machine, input, given| test(machine, input, &given[0], &given[1]))),
    ("split", 1, Function::Plain(|_, input, given| texts(input, &given[0], split))),
    ("join", 1, Function::Plain(|machine, input, given| join(machine, input, &given[0]))),
    ("trim", 0, Function::Plain(|_, input, _| text(input, |text| text.trim().into()))),
    ("ascii_downcase", 0, Function::Plain(|_, input, _| text(input, |text| text.to_ascii_lowercase().into()))),
    ("ascii_upcase", 0, Function::Plain(|_, input, _| text(input, |text| text.to_ascii_uppercase().into()))),
    ("tostring", 0, Function::Plain(|_, input, _| Ok(Value::String(to_text(input))))),
    ("tojson", 0, Function::Plain(|_, input, _| Ok(Value::String(input.to_string())))),
    ("fromjson", 0, Function::Plain(|_, input, _| read(input, "this text is not JSON"))),
    ("tonumber", 0, Function::Plain(|_, input, _| number(input))),
    (
        "floor",
        0,
        Function::Plain(|_, input, _| {
            input.as_f64().and_then(|number| from_float(number.floor())).map_or_else(|| error("only a number has a floor"), Ok)
        }),
    ),
    ("add", 0, Function::Plain(|machine, input, _| add(machine, input))),
    (
        "min",
        0,
        Function::Plain(|_, input, _| {
            items(input).map(|items| items.iter().min_by(|one, other| compare(one, other)).cloned().unwrap_or_default())
        }),
    ),
    (
        "max",
        0,
        Function::Plain(|_, input, _| {
            items(input).map(|items| items.iter().max_by(|one, other| compare(one, other)).cloned().unwrap_or_default())
        }),
    ),
    ("sort", 0, Function::Plain(|_, input, _| sorted(input).map(Value::Array))),
    ("unique", 0, Function::Plain(|_, input, _| unique(input))),
    ("reverse", 0, Function::Plain(|_, input, _| items(input).map(|items| items.iter().rev().cloned().collect()))),
    ("to_entries", 0, Function::Plain(|_, input, _| to_entries(input))),
];

/// What is said in jq itself.
pub(super) const DEFINITIONS: [(&str, usize, &str); 17] = [
    ("recurse", 0, ".."),
    ("first", 0, ".[0]"),
    ("last", 0, ".[-1]"),
    ("map", 1, "[.[] | $f]"),
    ("any", 0, "any(.[]; .)"),
    ("any", 1, "any(.[]; $f)"),
    ("all", 0, "all(.[]; .)"),
    ("all", 1, "all(.[]; $f)"),
    ("values", 0, "select(. != null)"),
    ("nulls", 0, "select(. == null)"),
    ("booleans", 0, "select(type == \"boolean\")"),
    ("numbers", 0, "select(type == \"number\")"),
    ("strings", 0, "select(type == \"string\")"),
    ("arrays", 0, "select(type == \"array\")"),
    ("objects", 0, "select(type == \"object\")"),
    ("iterables", 0, "select(type == \"array\" or type == \"object\")"),
    ("scalars", 0, "select(type != \"array\" and type != \"object\")"),
];

impl Function {
    pub(super) fn find(name: &str, arguments: usize) -> Option<Self> {
        FUNCTIONS.iter().find(|(own, count, _)| *own == name && *count == arguments).map(|(_, _, function)| *function)
    }

    /// Returns how many arguments a function may have; none if there is no function of this name.
    pub(super) fn arities(name: &str) -> Vec<usize> {
        let own = FUNCTIONS.iter().filter(|(own, ..)| *own == name).map(|(_, count, _)| *count);
        let mut arities: Vec<usize> = own.chain(DEFINITIONS.iter().filter(|(own, ..)| *own == name).map(|(_, count, _)| *count)).collect();
        arities.sort_unstable();
        arities
    }
}

fn length(input: &Value) -> Result<Value, Stop> {
    Ok(match input {
        Value::Null => json!(0),
        Value::Number(number) => from_float(float(number).abs()).unwrap_or_default(),
        Value::String(text) => json!(text.chars().count()),
        Value::Array(items) => json!(items.len()),
        Value::Object(map) => json!(map.len()),
        Value::Bool(_) => return error("a boolean has no length"),
    })
}

fn keys(input: &Value) -> Result<Value, Stop> {
    match input {
        Value::Array(items) => Ok((0..items.len()).collect()),
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            Ok(keys.into_iter().cloned().collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => error("this has no keys"),
    }
}

fn has(input: &Value, key: &Value) -> Result<Value, Stop> {
    match (input, key) {
        (Value::Object(map), Value::String(key)) => Ok(map.contains_key(key).into()),
        (Value::Array(items), Value::Number(at)) => Ok((float(at) >= 0.0 && float(at) < items.len() as f64).into()),
        _ => error("this cannot have such a key"),
    }
}

fn contains(machine: &mut Machine<'_>, input: &Value, part: &Value) -> Result<bool, Stop> {
    machine.spend(1)?;
    match (input, part) {
        (Value::Object(map), Value::Object(parts)) => {
            for (key, part) in parts {
                let Some(own) = map.get(key) else { return Ok(false) };
                if !contains(machine, own, part)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Array(items), Value::Array(parts)) => {
            for part in parts {
                let mut is_in = false;
                for item in items {
                    is_in = is_in || (kind(item) == kind(part) && contains(machine, item, part)?);
                }
                if !is_in {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
        _ if kind(input) == kind(part) => Ok(compare(input, part).is_eq()),
        _ => error("this cannot contain a value of another type"),
    }
}

fn text(input: &Value, make: impl FnOnce(&str) -> Value) -> Result<Value, Stop> {
    input.as_str().map_or_else(|| error("this needs a text"), |text| Ok(make(text)))
}

fn texts(input: &Value, other: &Value, make: impl FnOnce(&str, &str) -> Value) -> Result<Value, Stop> {
    match (input, other) {
        (Value::String(input), Value::String(other)) => Ok(make(input, other)),
        _ => error("this needs two texts"),
    }
}

fn trimmed(input: &Value, part: &Value, strip: for<'a> fn(&'a str, &str) -> Option<&'a str>) -> Value {
    match (input, part) {
        (Value::String(text), Value::String(part)) => strip(text, part).unwrap_or(text).into(),
        _ => input.clone(),
    }
}

fn split(text: &str, separator: &str) -> Value {
    if text.is_empty() {
        return json!([]);
    }
    if separator.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(separator).collect()
}

fn join(machine: &mut Machine<'_>, input: &Value, separator: &Value) -> Result<Value, Stop> {
    let Value::String(separator) = separator else { return error("a separator is a text") };
    let mut joined = String::new();
    for (at, item) in items(input)?.iter().enumerate() {
        machine.spend(1 + (separator.len() / 32) as u64)?;
        if at > 0 {
            joined.push_str(separator);
        }
        match item {
            Value::Null => {}
            Value::String(_) | Value::Number(_) | Value::Bool(_) => joined.push_str(&to_text(item)),
            Value::Array(_) | Value::Object(_) => return error("only texts, numbers and booleans can be joined"),
        }
    }
    Ok(Value::String(joined))
}

fn test(machine: &mut Machine<'_>, input: &Value, pattern: &Value, flags: &Value) -> Result<Value, Stop> {
    let (Value::String(input), Value::String(pattern)) = (input, pattern) else { return error("only texts can be tested") };
    let flags = match flags {
        Value::Null => "",
        Value::String(flags) => flags,
        _ => return error("flags are a text"),
    };
    let key = format!("{flags}/{pattern}");
    if !machine.patterns.contains_key(&key) {
        machine.spend(1000 + 10 * pattern.len() as u64)?;
        machine.patterns.insert(key.clone(), regex(pattern, flags));
    }
    let Some(Some(regex)) = machine.patterns.get(&key) else { return error("this is not a regular expression") };
    Ok(regex.is_match(input).into())
}

fn regex(pattern: &str, flags: &str) -> Option<Rc<Regex>> {
    let has = |flag: char| flags.contains(flag);
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(has('i')).ignore_whitespace(has('x')).dot_matches_new_line(has('s')).size_limit(1 << 20);
    flags.chars().all(|flag| "gixsn".contains(flag)).then(|| builder.build().ok())?.map(Rc::new)
}

/// Returns a text as it is, anything else as JSON.
pub(super) fn to_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn read(input: &Value, why: &'static str) -> Result<Value, Stop> {
    input.as_str().and_then(|text| serde_json::from_str(text).ok()).map_or_else(|| error(why), Ok)
}

fn number(input: &Value) -> Result<Value, Stop> {
    match input {
        Value::Number(_) => Ok(input.clone()),
        _ => read(input, "this is no number").and_then(|value| if value.is_number() { Ok(value) } else { error("this is no number") }),
    }
}

fn items(input: &Value) -> Result<&Vec<Value>, Stop> {
    input.as_array().map_or_else(|| error("this needs an array"), Ok)
}

fn sorted(input: &Value) -> Result<Vec<Value>, Stop> {
    let mut items = items(input)?.clone();
    items.sort_by(compare);
    Ok(items)
}

fn unique(input: &Value) -> Result<Value, Stop> {
    let mut items = sorted(input)?;
    items.dedup_by(|one, other| compare(one, other).is_eq());
    Ok(Value::Array(items))
}

fn add(machine: &mut Machine<'_>, input: &Value) -> Result<Value, Stop> {
    let values: Vec<&Value> = match input {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return error("this needs an array"),
    };
    let mut sum = Value::Null;
    for value in values {
        machine.spend(super::order::weight(&sum).saturating_add(1))?;
        sum = calculate(Math::Add, &sum, value)?;
    }
    Ok(sum)
}

fn to_entries(input: &Value) -> Result<Value, Stop> {
    let Value::Object(map) = input else { return error("only an object has entries") };
    Ok(map.iter().map(|(key, value)| json!({"key": key, "value": value})).collect())
}

pub(super) fn negative(value: &Value) -> Result<Value, Stop> {
    match value {
        Value::Number(number) => Ok(from_float(-float(number)).unwrap_or_default()),
        _ => error("only a number can be negative"),
    }
}

/// Adds, subtracts and so on. A text cannot be multiplied, because it could grow without end.
pub(super) fn calculate(op: Math, left: &Value, right: &Value) -> Result<Value, Stop> {
    match (op, left, right) {
        (Math::Add, Value::Null, other) | (Math::Add, other, Value::Null) => Ok(other.clone()),
        (Math::Add, Value::String(left), Value::String(right)) => Ok(format!("{left}{right}").into()),
        (Math::Add, Value::Array(left), Value::Array(right)) => Ok(left.iter().chain(right).cloned().collect()),
        (Math::Add, Value::Object(left), Value::Object(right)) => {
            let entries = left.iter().chain(right).map(|(key, value)| (key.clone(), value.clone()));
            Ok(Value::Object(entries.collect::<Map<_, _>>()))
        }
        (Math::Sub, Value::Array(left), Value::Array(right)) => {
            Ok(left.iter().filter(|item| !right.iter().any(|other| compare(item, other).is_eq())).cloned().collect())
        }
        (Math::Div, Value::String(left), Value::String(right)) => Ok(split(left, right)),
        (_, Value::Number(left), Value::Number(right)) => {
            let (left, right) = (float(left), float(right));
            if right == 0.0 && matches!(op, Math::Div | Math::Rem) {
                return error("nothing can be divided by zero");
            }
            let result = match op {
                Math::Rem if right.trunc() == 0.0 => return error("nothing can be divided by zero"),
                Math::Rem => left.trunc() % right.trunc(),
                _ => op.run::<f64, f64>(left, right),
            };
            Ok(from_float(result).unwrap_or_default())
        }
        _ => error("this cannot be calculated"),
    }
}
