//! Reads one YAML scalar as Go's YAML library reads it, and so kubectl and Argo CD: YAML 1.1 booleans, old octal
//! numbers, underscores in numbers (architecture.md 5.2). Knows no document and no position.

use base64::Engine;
use serde_json::{Number, Value};

/// Returns what a plain scalar without a tag means.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    number(text).and_then(Numeric::json).map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

/// Returns whether a plain scalar is a number that JSON has no word for: infinity or not a number.
pub(super) fn is_beyond_json(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// Returns what a scalar with a tag of YAML's own means; `tag` is its name without `!!`.
pub(super) fn tagged(tag: &str, text: &str) -> Result<Value, String> {
    let read = plain(text);
    match (tag, &read) {
        ("binary", _) => binary(text),
        ("bool", Value::Bool(_)) | ("int" | "float", Value::Number(_)) | ("null", Value::Null) if tag != "int" || is_integer(&read) => {
            Ok(read)
        }
        ("bool" | "int" | "float" | "null", _) => Err(format!("`{text}` is not what its tag !!{tag} says")),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// Returns the key that Go makes of a plain scalar: `on: x` gets the key `true`, `0644: x` the key `420`, and a float
/// is written in the digits of a 32-bit one. Null is no key.
pub(super) fn plain_key(text: &str) -> Option<String> {
    match plain(text) {
        Value::String(text) => Some(text),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(_) => match number(text)? {
            Numeric::Integer(number) => Some(number.to_string()),
            Numeric::Float(number) => Some(float_key(number)),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

fn binary(text: &str) -> Result<Value, String> {
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed);
    let bytes = bytes.map_err(|error| format!("the value of a !!binary is not base64: {error}"))?;
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A number before it becomes JSON; only keys show the difference.
enum Numeric {
    Integer(Number),
    Float(f64),
}

impl Numeric {
    fn json(self) -> Option<Number> {
        match self {
            Self::Integer(number) => Some(number),
            Self::Float(number) => from_float(number),
        }
    }
}

fn number(text: &str) -> Option<Numeric> {
    let begins = text.as_bytes().first()?;
    if !matches!(begins, b'0'..=b'9' | b'+' | b'-' | b'.') {
        return None;
    }
    if *begins == b'.' && !has_underscores_between_digits(text) {
        return None;
    }
    let text = if text.contains('_') { &text.replace('_', "") } else { text };
    if *begins == b'.' {
        return decimal(text).map(Numeric::Float);
    }
    integer(text).map(Numeric::Integer).or_else(|| decimal(text).map(Numeric::Float)).or_else(|| {
        // Go's last resort for binary numbers lets a sign stand behind the prefix.
        let bits = i64::from_str_radix(text.strip_prefix("0b")?, 2).ok()?;
        Some(Numeric::Integer(bits.into()))
    })
}

/// Returns false if an underscore stands anywhere but between two digits. Only numbers that begin with a dot care.
fn has_underscores_between_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    bytes.iter().enumerate().all(|(index, byte)| *byte != b'_' || (is_digit(index.wrapping_sub(1)) && is_digit(index + 1)))
}

fn integer(text: &str) -> Option<Number> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (radix, digits) = radix(unsigned);
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let signed = i64::from_str_radix(&format!("{sign}{digits}"), radix).ok().map(Number::from);
    // A sign is not allowed where the number needs all 64 bits.
    signed.or_else(|| u64::from_str_radix(digits, radix).ok().filter(|_| text == unsigned).map(Number::from))
}

fn radix(unsigned: &str) -> (u32, &str) {
    match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    }
}

/// Reads a decimal fraction: digits with at most one dot and an exponent, nothing else that Rust would accept.
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_exponent = |part: &str| {
        let part = part.strip_prefix(['+', '-']).unwrap_or(part);
        !part.is_empty() && is_digits(part)
    };
    let fits = is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent.is_none_or(has_exponent);
    text.parse().ok().filter(|number: &f64| fits && number.is_finite())
}

/// Go writes a whole float without a fraction, and whoever reads that JSON gets an integer: `08` and `1e3` are 8 and 1000.
fn from_float(number: f64) -> Option<Number> {
    // 2^63: the first float above every 64-bit integer.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-END..END).contains(&number) {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}

/// Writes a float key as Go does: shortest digits, an exponent of at least two digits from 1e+06 on and below 1e-04.
fn float_key(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "Go drops the digits too")]
    let number = number as f32;
    if number.is_infinite() {
        return if number > 0.0 { ".inf".to_owned() } else { "-.inf".to_owned() };
    }
    let scientific = format!("{number:e}");
    let power = scientific.split_once('e').and_then(|(mantissa, power)| Some((mantissa, power.parse::<i32>().ok()?)));
    match power {
        Some((mantissa, power)) if !(-4..6).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", power.abs())
        }
        _ => number.to_string(),
    }
}
