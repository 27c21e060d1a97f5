//! Scripts that do not want to end, or want everything: each one is stopped, by the stopwatch of the test or by the count of steps, and the
//! next script finds a machine as if nothing had been.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::tests::limits;
use super::*;

/// Every look at the stopwatch takes a millisecond.
fn slow() -> Limits {
    let looks = AtomicU64::new(0);
    let stopwatch = Arc::new(move || Duration::from_millis(looks.fetch_add(1, Ordering::Relaxed)));
    Limits { stopwatch, steps: u64::MAX, ..limits() }
}

/// The stopwatch stands still, as in an embedded cluster whose clock jumps.
fn counted() -> Limits {
    Limits { steps: 20_000, ..limits() }
}

fn stopped(source: &str, limits: Limits, parts: &[&str]) {
    let scripts = Scripts::new(
        vec![
            Customization::new("Hostile", source, "hostile.lua").unwrap(),
            Customization::new("Good", "return {status = 'Healthy'}", "good.lua").unwrap(),
        ],
        limits,
    );
    let object = |kind: &str| Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}}));
    for _ in 0..2 {
        match scripts.assess(&object("Hostile")).unwrap() {
            Assessment::Error(error) => {
                assert!(parts.iter().any(|part| error.contains(part)), "{source}: {error}");
                assert!(error.contains("hostile.lua"), "{error}");
            }
            found @ (Assessment::NoRule | Assessment::Known(_)) => panic!("{source}: {found:?}"),
        }
        assert_eq!(scripts.assess(&object("Good")).unwrap().status(), Some(HealthStatus::Healthy), "after {source}");
    }
}

/// What never ends by itself.
const ENDLESS: &[&str] = &[
    "while true do end",
    "repeat until false",
    "for i = 1, math.huge do end",
    "local function f() return f() end while true do pcall(f) end",
    "while true do pcall(function() while true do end end) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "while true do pcall(error) end",
    "pcall(function() while true do end end) return {status = 'Healthy'}",
    "xpcall(function() while true do end end, function() return 1 end) return {status = 'Healthy'}",
    "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
    "return string.find(string.rep('a', 300), string.rep('a*', 60) .. 'b')",
    "return string.gsub(string.rep('a', 5000), '(.-)*(.-)*(.-)*b', '')",
    "for _ in string.gmatch(string.rep('a', 1e5), '.-b') do end",
    "local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end",
    // Without a comparator of its own a sort would take no step.
    "local t = {} for i = 1, 15000 do t[i] = i * 7919 % 15013 end table.sort(t) return {status = 'Healthy'}",
    "return tostring(setmetatable({}, {__tostring = function() while true do end end}))",
    "for _ in function() return 1 end do end",
];

#[test]
fn what_never_ends_is_stopped_by_the_stopwatch() {
    for source in ENDLESS {
        stopped(source, slow(), &["it did not end within 1 s"]);
    }
}

#[test]
fn what_never_ends_is_stopped_by_its_steps_where_time_stands_still() {
    for source in ENDLESS {
        stopped(source, counted(), &["it did not end within 20000 steps"]);
    }
}

#[test]
fn the_line_at_which_the_limit_was_met_is_named() {
    stopped("\n\nwhile true do end", counted(), &["failed at line 3: it did not end"]);
    stopped("local s = string.rep('a', 300)\nreturn string.find(s, string.rep('a*', 60) .. 'b')", counted(), &["at line 2: it did not"]);
}

#[test]
fn what_wants_all_the_memory_gets_none() {
    let memory = || Limits { memory: 4 << 20, ..limits() };
    for source in [
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "local s = 'x' while true do s = s .. s end",
        "return string.rep('x', 1e9)",
        "return ('x'):rep(2^31 - 1)",
        "local s = string.rep('x', 1e6) local t = {} for i = 1, 100 do t[i] = s end return table.concat(t)",
        "local s = string.rep('x', 1e6) return string.gsub(s, 'x', string.rep('y', 100))",
        "local t = {} while true do t[#t + 1] = function() return t end end",
        "return string.format('%s%s%s%s%s', string.rep('x', 1e6), string.rep('y', 1e6), string.rep('z', 1e6), string.rep('v', 1e6), string.rep('w', 1e6))",
    ] {
        stopped(source, memory(), &["needs more than 4 MiB", "not enough memory", "too large"]);
    }
    stopped("return table.create(1e9, 'x')", memory(), &["attempt to call"]);
}

#[test]
fn recursion_has_an_end() {
    for source in [
        "local function f(n) return 1 + f(n + 1) end return f(1)",
        "local t = {} setmetatable(t, {__index = function(t, k) return t[k] end}) return t.x",
        "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
        "local t = {} setmetatable(t, {__eq = function(a, b) return a == b end, __concat = function(a, b) return a .. b end}) return t .. t",
        "local function f() return string.gsub('x', 'x', f) end return f()",
        "local t = setmetatable({}, {}) getmetatable(t).__tostring = function() return tostring(t) end return tostring(t)",
    ] {
        stopped(source, limits(), &["stack overflow", "loop", "too complex"]);
    }
    let deep = format!("return {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    stopped(&deep, limits(), &["failed"]);
    stopped(&format!("return {}", "{".repeat(100_000)), limits(), &["failed"]);
}

#[test]
fn a_call_that_takes_no_step_is_bounded_by_its_size() {
    let far = "local s = string.rep('a', 2^22) return string.find(s, string.rep('a', 2^21) .. 'b', 1, true)";
    stopped(far, limits(), &["too long to be searched"]);
    for call in ["match(s, p)", "gmatch(s, p)()", "gsub(s, p, '')", "find(s, p)"] {
        let source = format!("local s, p = string.rep('a', 2^22), '[' .. string.rep('b', 2^20) .. 'a]*' return string.{call}");
        stopped(&source, limits(), &["too long to be searched"]);
    }
    stopped("return os.date(string.rep('%c', 1e6))", limits(), &["the format of os.date is too long"]);
    stopped("string.rep('', 2^31 - 1) error('at once')", limits(), &["at once"]);
}

#[test]
fn an_answer_without_end_is_none() {
    for source in [
        "local t = {status = 'Healthy'} t.t = t return t",
        "local t = {} for i = 1, 200 do t = {t} end return {status = 'Healthy', t = t}",
        "local t = {} for i = 1, 90 do t = {t, t} end return {status = 'Healthy', t = t}",
        "local t = {} for i = 1, 2e5 do t[i] = i end return {status = 'Healthy', t = t}",
        "return {status = 'Healthy', message = string.rep('x', 1e7)}",
        "return setmetatable({status = 'Healthy', x = print}, {__index = function() while true do end end})",
    ] {
        stopped(source, limits(), &["its answer"]);
    }
}
