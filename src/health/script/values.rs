//! Values between JSON and Lua, as Argo CD hands them over (health.md 3.5). Owns the two translations and their bounds.

use mlua::{Lua, Table};
use serde_json::{Map, Number, Value};

/// How deep values may be nested, both ways.
const DEPTH: usize = 100;
/// How many values an answer may have. The same table may stand in many places, so that a small one can be endless as JSON.
const VALUES: usize = 100_000;
/// How many bytes of text an answer may have.
const BYTES: usize = 4 << 20;
/// From here on a float is no exact integer any more.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Makes a Lua value: null and absent are the same, a null in a list is left out, and every number is a float.
pub(super) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<mlua::Value> {
    down(lua, value, 0)
}

fn down(lua: &Lua, value: &Value, depth: usize) -> mlua::Result<mlua::Value> {
    if depth > DEPTH {
        return Err(mlua::Error::runtime(format!("the object is nested deeper than {DEPTH} levels")));
    }
    Ok(match value {
        Value::Null => mlua::Value::Nil,
        Value::Bool(is_true) => mlua::Value::Boolean(*is_true),
        // Adding zero makes 0 of -0, which Go prints as 0.
        Value::Number(number) => mlua::Value::Number(number.as_f64().unwrap_or_default() + 0.0),
        Value::String(text) => mlua::Value::String(lua.create_string(text)?),
        Value::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            let present = items.iter().filter(|item| !item.is_null());
            for (at, item) in present.enumerate() {
                table.raw_set(at + 1, down(lua, item, depth + 1)?)?;
            }
            mlua::Value::Table(table)
        }
        Value::Object(fields) => {
            let table = lua.create_table_with_capacity(0, fields.len())?;
            for (name, item) in fields.iter().filter(|(_, item)| !item.is_null()) {
                table.raw_set(name.as_str(), down(lua, item, depth + 1)?)?;
            }
            mlua::Value::Table(table)
        }
    })
}

/// Makes JSON of a Lua value: a table with the keys 1 to n is a list, an empty one too.
///
/// # Errors
/// The value has no JSON form, or no bounded one; a fragment that says why.
pub(super) fn to_json(value: &mlua::Value) -> Result<Value, String> {
    Answer { values: VALUES, bytes: BYTES }.value(value, 0)
}

/// What is left of the bounds of an answer.
struct Answer {
    values: usize,
    bytes: usize,
}

impl Answer {
    fn value(&mut self, value: &mlua::Value, depth: usize) -> Result<Value, String> {
        if depth > DEPTH {
            return Err(format!("its answer is nested deeper than {DEPTH} levels, or in a circle"));
        }
        self.values = self.values.checked_sub(1).ok_or_else(|| format!("its answer has more than {VALUES} values"))?;
        if let Some(table) = value.as_table() {
            return self.table(table, depth);
        }
        if let Some(text) = value.as_string() {
            return Ok(Value::String(self.text(text)?));
        }
        if let Some(number) = value.as_f64().or_else(|| value.as_integer().map(|whole| whole as f64)) {
            return number_of(number);
        }
        if let Some(is_true) = value.as_boolean() {
            return Ok(Value::Bool(is_true));
        }
        if value.is_nil() { Ok(Value::Null) } else { Err(format!("its answer holds a {}, which has no JSON form", value.type_name())) }
    }

    fn text(&mut self, text: &mlua::LuaString) -> Result<String, String> {
        let bytes = text.as_bytes();
        self.bytes = self.bytes.checked_sub(bytes.len()).ok_or_else(|| format!("its answer has more than {} MiB of text", BYTES >> 20))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn table(&mut self, table: &Table, depth: usize) -> Result<Value, String> {
        let (mut fields, mut items) = (Map::new(), Vec::new());
        for pair in table.pairs::<mlua::Value, mlua::Value>() {
            let (key, item) = pair.map_err(|error| error.to_string())?;
            let item = self.value(&item, depth + 1)?;
            if let Some(name) = key.as_string() {
                fields.insert(self.text(name)?, item);
            } else {
                items.push((place(&key)?, item));
            }
        }
        if items.is_empty() {
            return Ok(if fields.is_empty() { Value::Array(Vec::new()) } else { Value::Object(fields) });
        }
        items.sort_by_key(|(place, _)| *place);
        let is_list = fields.is_empty() && items.iter().enumerate().all(|(at, (place, _))| at + 1 == *place);
        let list = || items.into_iter().map(|(_, item)| item).collect();
        if is_list { Ok(Value::Array(list())) } else { Err("its answer mixes a list with names, or has a list with gaps".to_owned()) }
    }
}

/// Returns the place that a key has in a list.
fn place(key: &mlua::Value) -> Result<usize, String> {
    let number = key.as_f64().or_else(|| key.as_integer().map(|whole| whole as f64));
    let whole = number.filter(|number| (1.0..=EXACT).contains(number) && number.fract() == 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    whole.map(|whole| whole as usize).ok_or_else(|| format!("its answer has a {} as a key, which has no JSON form", key.type_name()))
}

fn number_of(number: f64) -> Result<Value, String> {
    #[expect(clippy::cast_possible_truncation, reason = "the bound keeps it exact")]
    let number = if number.fract() == 0.0 && number.abs() <= EXACT { Some(Number::from(number as i64)) } else { Number::from_f64(number) };
    number.map(Value::Number).ok_or_else(|| "its answer has a number that is not finite".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn there_and_back(value: &Value) -> Value {
        to_json(&to_lua(&Lua::new(), value).unwrap()).unwrap()
    }

    fn evaluated(text: &str) -> Result<Value, String> {
        to_json(&Lua::new().load(text).eval::<mlua::Value>().unwrap())
    }

    #[test]
    fn json_comes_back_without_nulls_and_with_empty_maps_as_lists() {
        for (value, expected) in [
            (json!(null), json!(null)),
            (json!(true), json!(true)),
            (json!("é\u{0}"), json!("é\u{0}")),
            (json!({"a": null, "b": 1}), json!({"b": 1})),
            (json!([1, null, "x", null, [null]]), json!([1, "x", []])),
            (json!({}), json!([])),
            (json!({"a": {"b": [{"c": false}]}}), json!({"a": {"b": [{"c": false}]}})),
        ] {
            assert_eq!(there_and_back(&value), expected, "{value}");
        }
    }

    #[test]
    fn numbers_are_floats_and_whole_ones_come_back_as_integers() {
        for (value, expected) in [
            (json!(5), json!(5)),
            (json!(5.0), json!(5)),
            (json!(-0.0), json!(0)),
            (json!(0.1), json!(0.1)),
            (json!(1_234_567_890_123_456_i64), json!(1_234_567_890_123_456_i64)),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64)),
            (json!(u64::MAX), json!(18_446_744_073_709_551_615.0)),
            (json!(1e300), json!(1e300)),
        ] {
            assert_eq!(there_and_back(&value), expected, "{value}");
        }
    }

    #[test]
    fn only_what_has_a_bounded_json_form_is_an_answer() {
        for (text, expected) in [
            ("return {1, 2, 'x'}", Ok(json!([1, 2, "x"]))),
            ("return {[2] = 'b', [1] = 'a'}", Ok(json!(["a", "b"]))),
            ("return {a = 10 / 2}", Ok(json!({"a": 5}))),
            ("return {1, a = 2}", Err("mixes")),
            ("return {[1] = 1, [3] = 3}", Err("gaps")),
            ("return {[0] = 1}", Err("key")),
            ("return {[1.5] = 1}", Err("key")),
            ("return {[true] = 1}", Err("boolean")),
            ("return {a = print}", Err("function")),
            ("return {a = 0 / 0}", Err("finite")),
            ("return {a = math.huge}", Err("finite")),
            ("local t = {} t.t = t return t", Err("circle")),
            ("local t = {} for i = 1, 90 do t = {t, t} end return t", Err("more than 100000 values")),
            ("local s = string.rep('x', 1e6) return {s, s, s, s, s}", Err("MiB of text")),
        ] {
            match (evaluated(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (Err(found), Err(part)) => assert!(found.contains(part), "{text}: {found}"),
                (found, expected) => panic!("{text}: expected {expected:?}, found {found:?}"),
            }
        }
    }
}
