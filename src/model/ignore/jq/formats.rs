//! jq's formats: how a value becomes a text for a table, a shell, an address. Linear in the value; must not know expressions.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use jaq_json::Val;

use super::meter::{Made, Meter, Stop, wrong};
use super::values::text;

pub(super) const NAMES: [&str; 9] = ["@text", "@json", "@csv", "@tsv", "@html", "@uri", "@sh", "@base64", "@base64d"];

/// Returns a value in the format of that name.
pub(super) fn formatted(meter: &Meter<'_>, value: &Val, name: &Val) -> Made {
    meter.written(value)?;
    let plain = || if matches!(value, Val::TStr(_)) { text(value).map(str::to_owned) } else { Ok(value.to_string()) };
    Ok(Val::from(match text(name)? {
        "@text" => plain()?,
        "@json" => value.to_string(),
        "@csv" => row(value, ",", |text| format!("\"{}\"", text.replace('"', "\"\"")))?,
        "@tsv" => row(value, "\t", tabbed)?,
        "@html" => plain()?.chars().map(html).collect(),
        "@uri" => address(&plain()?),
        "@sh" => shell(value)?,
        "@base64" => STANDARD.encode(plain()?),
        "@base64d" => decoded(&plain()?)?,
        _ => return Err(wrong("this is no format")),
    }))
}

fn row(value: &Val, between: &str, quoted: fn(&str) -> String) -> Result<String, Stop> {
    let Val::Arr(items) = value else { return Err(wrong("this is no row of a table")) };
    let cells = items.iter().map(|item| match item {
        Val::Null => Ok(String::new()),
        Val::Bool(_) | Val::Num(_) => Ok(item.to_string()),
        Val::TStr(_) => text(item).map(quoted),
        Val::BStr(_) | Val::Arr(_) | Val::Obj(_) => Err(wrong("this is no cell of a table")),
    });
    Ok(cells.collect::<Result<Vec<_>, _>>()?.join(between))
}

fn tabbed(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn html(letter: char) -> String {
    match letter {
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '&' => "&amp;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '"' => "&quot;".to_owned(),
        other => other.to_string(),
    }
}

fn address(text: &str) -> String {
    let mut address = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            let _never = write!(address, "%{byte:02X}");
        }
    }
    address
}

fn shell(value: &Val) -> Result<String, Stop> {
    let word = |value: &Val| match value {
        Val::TStr(_) => Ok(format!("'{}'", text(value)?.replace('\'', "'\\''"))),
        Val::Null | Val::Bool(_) | Val::Num(_) => Ok(value.to_string()),
        Val::BStr(_) | Val::Arr(_) | Val::Obj(_) => Err(wrong("this is no word of a shell")),
    };
    let Val::Arr(items) = value else { return word(value) };
    Ok(items.iter().map(word).collect::<Result<Vec<_>, _>>()?.join(" "))
}

fn decoded(text: &str) -> Result<String, Stop> {
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| wrong("this is not base64"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
