//! What scripts find in the machine beside the language: the libraries of Lua 5.1, less what reaches outside, runs for long without a step,
//! or gives another answer the next time. Owns `os`, `require` and the globals of a run; the time of day is given.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use mlua::{Function, Lua, Table};

/// Runs once in each machine, before it is locked, and returns the function that makes the globals of a run.
///
/// A search compares texts byte by byte, or a byte with each of a set, without a step in between: hours for two long ones. `table.sort` takes a
/// step only where it calls a function. A format of `os.date` is written out by us, outside of the machine's memory. An empty
/// text costs `string.rep` a turn for each copy. `print` would write into our output. Argo CD's own scripts find all of `os`, some by its name
/// and some by `require("os")`; scripts of a cluster find the safe half under the name `table`. Here the safe half has all three names.
const PRELUDE: &str = r#"
local clock, seconds, date = ...
local error, pcall, rep, find, setmetatable, tonumber, tostring, type = error, pcall, string.rep, string.find, setmetatable, tonumber, tostring, type
local freeze, pairs, gmatch = table.freeze, pairs, string.gmatch

local function keep(library, names)
  local kept = {}
  for name in gmatch(names, "%S+") do kept[name] = true end
  for name in pairs(library) do
    if not kept[name] then library[name] = nil end
  end
end
keep(string, "byte char find format gmatch gsub len lower match rep reverse sub upper")
keep(table, "concat foreach foreachi getn insert maxn remove sort")
keep(math, "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min modf pi pow rad sin sinh sqrt tan tanh")
keep(_G, "_G _VERSION assert error getmetatable ipairs math next pairs pcall rawequal rawget rawset select setmetatable string table tonumber tostring type unpack xpcall")

function print() end

local function passed(good, ...)
  if good then return ... end
  error((...), 3)
end

for name, search in pairs({ find = find, match = string.match, gmatch = gmatch, gsub = string.gsub }) do
  string[name] = function(text, pattern, ...)
    if #tostring(text) * #tostring(pattern) > 16777216 then error("the texts are too long to be searched", 2) end
    return passed(pcall(search, text, pattern, ...))
  end
end

local sort = table.sort
function table.sort(list, before)
  return passed(pcall(sort, list, before or function(one, other) return one < other end))
end

function string.rep(text, count)
  if text == "" then return "" end
  return passed(pcall(rep, text, count))
end

local os = {}
function os.time(fields)
  if fields == nil then return clock() end
  if type(fields) ~= "table" then error("os.time needs a table, not a " .. type(fields), 2) end
  local function field(name, default)
    local number = tonumber(fields[name]) or default
    if number == nil then error("field '" .. name .. "' missing in date table", 3) end
    return number
  end
  local result = seconds(field("year"), field("month"), field("day"), field("hour", 12), field("min", 0), field("sec", 0))
  if result == nil then error("os.time cannot reach this date", 2) end
  return result
end
function os.date(format, at)
  if at == nil then at = clock() end
  format = tostring(format == nil and "%c" or format)
  if #format > 256 then error("the format of os.date is too long", 2) end
  local result = date(format, tonumber(at) or 0/0)
  if result == nil then error("os.date cannot reach this time", 2) end
  return result
end
_G.os = freeze(os)
table.time, table.date = os.time, os.date

local shared = freeze({ __index = _G, __metatable = "locked" })
return function(object)
  local globals = { obj = object }
  globals._G = globals
  function globals.require(name)
    if name ~= "os" then error("module '" .. tostring(name) .. "' not found", 2) end
    return os
  end
  return setmetatable(globals, shared)
end
"#;

/// Furnishes a machine, and returns the function that makes the globals of a run from an object.
pub(super) fn install(lua: &Lua, now: Arc<dyn Fn() -> i64 + Send + Sync>) -> mlua::Result<Function> {
    #[expect(clippy::cast_precision_loss, reason = "every number of Lua is a float")]
    let clock = lua.create_function(move |_, ()| Ok(now() as f64))?;
    let seconds = lua.create_function(|_, parts: (f64, f64, f64, f64, f64, f64)| Ok(seconds(parts)))?;
    let date = lua.create_function(|lua, (format, at): (String, f64)| date(lua, &format, at))?;
    lua.load(PRELUDE).set_name("=shims").call((clock, seconds, date))
}

/// Returns the seconds since 1970 of a date, whose parts may be too large, as in Go: month 14 is February of the next year.
fn seconds((year, month, day, hour, minute, second): (f64, f64, f64, f64, f64, f64)) -> Option<f64> {
    let months = year.trunc() * 12.0 + month.trunc() - 1.0;
    #[expect(clippy::cast_possible_truncation, reason = "a year out of range is refused by `new`, and the month is below 13")]
    let (year, month) = ((months / 12.0).floor().clamp(-32_000.0, 32_000.0) as i16, months.rem_euclid(12.0) as i8 + 1);
    let first = jiff::civil::Date::new(year, month, 1).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    #[expect(clippy::cast_precision_loss, reason = "every number of Lua is a float")]
    let sum = first as f64 + (day.trunc() - 1.0) * 86_400.0 + hour.trunc() * 3_600.0 + minute.trunc() * 60.0 + second.trunc();
    sum.is_finite().then_some(sum)
}

/// Returns a time as text, or as a table for `*t`. Always UTC, with and without `!`: a verdict must not hang on the machine.
fn date(lua: &Lua, format: &str, at: f64) -> mlua::Result<Option<mlua::Value>> {
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is refused by `from_second`")]
    let second = at.floor() as i64;
    let time = Timestamp::from_second(second).ok().filter(|_| at.is_finite()).map(|time| time.to_zoned(TimeZone::UTC));
    let Some(time) = time else { return Ok(None) };
    let format = format.strip_prefix('!').unwrap_or(format);
    if format.starts_with("*t") {
        return Ok(Some(mlua::Value::Table(fields(lua, &time)?)));
    }
    Ok(Some(mlua::Value::String(lua.create_string(written(format, &time))?)))
}

fn fields(lua: &Lua, time: &jiff::Zoned) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let small = [
        ("month", time.month()),
        ("day", time.day()),
        ("hour", time.hour()),
        ("min", time.minute()),
        ("sec", time.second()),
        ("wday", time.weekday().to_sunday_one_offset()),
    ];
    for (name, value) in small {
        table.raw_set(name, value)?;
    }
    table.raw_set("year", time.year())?;
    table.raw_set("yday", time.day_of_year())?;
    table.raw_set("isdst", false)?;
    Ok(table)
}

fn written(format: &str, time: &jiff::Zoned) -> String {
    let mut text = String::with_capacity(format.len());
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            None | Some('%') => text.push('%'),
            Some(letter) => match directive(letter) {
                Some(directive) => text += &strtime::format(directive, time).unwrap_or_default(),
                None => text.extend(['%', letter]),
            },
        }
    }
    text
}

/// The letters that Argo CD's scripts may use.
fn directive(letter: char) -> Option<&'static str> {
    Some(match letter {
        'a' => "%a",
        'A' => "%A",
        'b' => "%b",
        'B' => "%B",
        'c' => "%d %b %y %H:%M UTC",
        'd' => "%d",
        'F' => "%Y-%m-%d",
        'H' => "%H",
        'I' => "%I",
        'm' => "%m",
        'M' => "%M",
        'p' => "%p",
        'S' => "%S",
        'w' => "%w",
        'x' => "%y/%m/%d",
        'X' => "%H:%M:%S",
        'y' => "%y",
        'Y' => "%Y",
        'z' => "+0000",
        'Z' => "UTC",
        _ => return None,
    })
}
