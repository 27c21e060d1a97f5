//! Reads fields the way a typed Kubernetes client would: what is absent or null counts as empty, what has the wrong
//! type is an error that names the field. Knows no kind.

use serde_json::Value;

/// A condition as most kinds write it in `status.conditions`.
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

impl Condition<'_> {
    pub(super) fn is(&self, kind: &str, status: &str) -> bool {
        self.kind == kind && self.status == status
    }
}

/// Returns the value at a path, or nothing if it or one of its parents is absent or null.
pub(super) fn field<'a>(root: &'a Value, path: &[&str]) -> Result<Option<&'a Value>, String> {
    let mut value = root;
    for (depth, name) in path.iter().enumerate() {
        match value {
            Value::Null => return Ok(None),
            Value::Object(map) => match map.get(*name) {
                Some(next) => value = next,
                None => return Ok(None),
            },
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(mismatch(&path[..depth], value, "an object"));
            }
        }
    }
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// Returns the text at a path, empty if it is absent.
pub(super) fn text<'a>(root: &'a Value, path: &[&str]) -> Result<&'a str, String> {
    match field(root, path)? {
        None => Ok(""),
        Some(value) => value.as_str().ok_or_else(|| mismatch(path, value, "a string")),
    }
}

/// Returns the whole number at a path.
pub(super) fn integer(root: &Value, path: &[&str]) -> Result<Option<i64>, String> {
    match field(root, path)? {
        None => Ok(None),
        Some(value) => whole(value).map(Some).ok_or_else(|| mismatch(path, value, "a whole number")),
    }
}

/// Returns the whole number at a path, 0 if it is absent.
pub(super) fn count(root: &Value, path: &[&str]) -> Result<i64, String> {
    Ok(integer(root, path)?.unwrap_or(0))
}

/// Returns the boolean at a path, false if it is absent.
pub(super) fn flag(root: &Value, path: &[&str]) -> Result<bool, String> {
    match field(root, path)? {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| mismatch(path, value, "true or false")),
    }
}

/// Returns the list at a path, empty if it is absent.
pub(super) fn list<'a>(root: &'a Value, path: &[&str]) -> Result<&'a [Value], String> {
    match field(root, path)? {
        None => Ok(&[]),
        Some(value) => value.as_array().map(Vec::as_slice).ok_or_else(|| mismatch(path, value, "a list")),
    }
}

/// Returns `status.conditions`.
pub(super) fn conditions(object: &Value) -> Result<Vec<Condition<'_>>, String> {
    conditions_of(list(object, &["status", "conditions"])?).map_err(|reason| format!("status.conditions{reason}"))
}

/// Returns the conditions of a list; an error begins with the index, for example `[2].type is …`.
pub(super) fn conditions_of(items: &[Value]) -> Result<Vec<Condition<'_>>, String> {
    items.iter().enumerate().map(|(index, item)| condition(item).map_err(|reason| format!("[{index}]{reason}"))).collect()
}

fn condition(item: &Value) -> Result<Condition<'_>, String> {
    if !item.is_object() && !item.is_null() {
        return Err(mismatch(&[], item, "an object"));
    }
    let part = |name| text(item, &[name]).map_err(|reason| format!(".{reason}"));
    Ok(Condition { kind: part("type")?, status: part("status")?, reason: part("reason")?, message: part("message")? })
}

/// Returns a whole number, also when it is written as `3.0`.
pub(super) fn whole(value: &Value) -> Option<i64> {
    // 2^53: beyond it a float no longer names one integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT);
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    value.as_i64().or_else(|| float().map(|number| number as i64))
}

fn mismatch(path: &[&str], found: &Value, expected: &str) -> String {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("{} is {found} where {expected} belongs", path.join("."))
}
