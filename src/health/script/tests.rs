//! What scripts see, and what becomes of their answers.

use serde_json::{Value, json};

use super::*;
use crate::health::Rules;
use crate::model::Health;

/// 2026-03-01T09:05:07Z, a Sunday.
const NOON: i64 = 1_772_355_907;

pub(super) fn limits() -> Limits {
    Limits::new(Arc::new(|| Duration::ZERO), Arc::new(|| NOON))
}

fn script(kinds: &str, source: &str) -> Customization {
    Customization::new(kinds, source, format!("{kinds}.lua")).unwrap()
}

fn widget(status: Value) -> Object {
    Object::new(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "status": status}))
}

fn judge(scripts: &[(&str, &str)], object: &Object) -> Assessment {
    let all = scripts.iter().map(|(kinds, source)| script(kinds, source)).collect();
    Rules::default().with(Arc::new(Scripts::new(all, limits()))).assess(object)
}

/// Returns what a script says of a widget.
pub(super) fn said(source: &str) -> Assessment {
    judge(&[("example.com/Widget", source)], &widget(json!({"phase": "Up", "none": null, "list": [1, null, 3]})))
}

fn is(status: HealthStatus, message: &str) -> Assessment {
    Assessment::Known(Health { status, message: message.to_owned(), rule: "example.com/Widget.lua".to_owned() })
}

fn fails(rest: &str) -> Assessment {
    Assessment::Error(format!("the health rule example.com/Widget.lua failed{rest}"))
}

/// Returns the text that an expression gives.
fn printed(expression: &str) -> String {
    let assessment = said(&format!("return {{status = 'Healthy', message = tostring({expression})}}"));
    assert_eq!(assessment.status(), Some(HealthStatus::Healthy), "{expression}: {assessment:?}");
    assessment.message().to_owned()
}

#[test]
fn r411_the_answer_is_a_status_and_a_message() {
    for word in STATUSES {
        let source = format!("hs = {{}} hs.status = '{word}' hs.message = obj.status.phase return hs");
        assert_eq!(said(&source), is(word, "Up"));
    }
    let invalid = "Lua returned an invalid health status";
    for (source, expected) in [
        ("return {status = 'healthy'}", is(HealthStatus::Unknown, invalid)),
        ("return {message = 'x'}", is(HealthStatus::Unknown, invalid)),
        ("return {Status = 'Healthy', MESSAGE = 'x'}", is(HealthStatus::Healthy, "x")),
        ("return {status = 'Healthy', more = {1, 2}}, 'second'", is(HealthStatus::Healthy, "")),
        ("return 'Healthy'", fails(": expect table output from Lua script, not string")),
        ("return 5", fails(": expect table output from Lua script, not number")),
        ("return true", fails(": expect table output from Lua script, not boolean")),
        ("return {'Healthy'}", fails(": expect a table with a status from Lua script, not a list")),
        ("return {status = 5}", fails(": its status is no text")),
        ("return {status = 'Healthy', message = {1}}", fails(": its message is no text")),
        ("return {status = 'Healthy', more = print}", fails(": its answer holds a function, which has no JSON form")),
    ] {
        assert_eq!(said(source), expected, "{source}");
    }
}

#[test]
fn r1542_no_status_is_progressing_and_says_so() {
    for source in ["return nil", "return {}", "", "if obj.status.phase == 'Down' then return {status = 'Degraded'} end"] {
        assert_eq!(said(source), is(HealthStatus::Progressing, "the rule example.com/Widget.lua returned no status"), "{source}");
    }
}

#[test]
fn an_error_names_script_and_line_and_is_never_a_verdict() {
    for (source, expected) in [
        ("\n\nreturn obj.spec.replicas", " at line 3: attempt to index nil with 'replicas'"),
        ("local x = \n= 5", " at line 2: Expected identifier when parsing expression, got '='"),
        ("\nerror('no idea')", " at line 2: no idea"),
        ("error('bare', 0)", ": bare"),
        ("\nrequire('io')", " at line 2: module 'io' not found"),
        ("\n\nreturn string.find('a', '[')", " at line 3: malformed pattern (missing ']')"),
        ("local os = require('os')\nreturn os.time({year = 1})", " at line 2: field 'month' missing in date table"),
        ("\nlocal os = require('os')\nreturn os.date('%Y', 1e300)", " at line 3: os.date cannot reach this time"),
        (
            "\nfor _, x in ipairs(obj.status.list) do\n goto done\nend\n::done::",
            " at line 3: `goto done` is understood only where nothing comes behind `::done::` in the loop or function around it",
        ),
    ] {
        assert_eq!(said(source), fails(expected), "{source}");
    }
    assert!(matches!(said("error({})"), Assessment::Error(_)));
    assert!(matches!(said("error(nil)"), Assessment::Error(_)));
    assert!(matches!(said("return ("), Assessment::Error(_)));
}

#[test]
fn a_long_message_is_cut_at_a_letter() {
    let Assessment::Known(health) = said("return {status = 'Healthy', message = 'x' .. string.rep('é', 10000)}") else { panic!() };
    assert!(health.message.len() <= MESSAGE + 3 && health.message.ends_with("é…"), "{}", health.message.len());
    let Assessment::Error(error) = said("error(string.rep('é', 10000))") else { panic!() };
    assert!(error.len() <= MESSAGE + 3 && error.ends_with('…'));
}

#[test]
fn numbers_print_as_in_argo() {
    for (expression, text) in [
        ("10 / 2", "5"),
        ("1234567890123456", "1234567890123456"),
        ("2^53", "9007199254740992"),
        ("0.1", "0.1"),
        ("7 / 2", "3.5"),
        ("-3", "-3"),
        ("#obj.status.list", "2"),
        ("obj.status.list[2]", "3"),
        ("obj.status.none", "nil"),
        ("1 .. 'x'", "1x"),
    ] {
        assert_eq!(printed(expression), text, "{expression}");
    }
    let object = widget(json!({"zero": -0.0, "large": 1_234_567_890_123_456_i64, "whole": 3.0}));
    let source = "local s = obj.status return {status = 'Healthy', message = s.zero .. ' ' .. s.large .. ' ' .. s.whole}";
    assert_eq!(judge(&[("example.com/Widget", source)], &object).message(), "0 1234567890123456 3");
}

#[test]
fn the_words_of_lua_5_1_are_there() {
    for (expression, text) in [
        ("table.getn({1, 2, 3})", "3"),
        ("select('#', unpack({1, 2, 3}))", "3"),
        ("('a-b'):find('-', 1, true)", "2"),
        ("select('#', string.find('key=value', '(%w+)=(%w+)'))", "4"),
        ("('ab'):rep(2)", "abab"),
        ("(pcall(error))", "false"),
        ("math.floor(2.7)", "2"),
        ("tonumber('0x10')", "16"),
    ] {
        assert_eq!(printed(expression), text, "{expression}");
    }
}

#[test]
fn the_time_is_given_and_printed_in_utc() {
    for (expression, text) in [
        ("require('os').time()", "1772355907"),
        ("os.time()", "1772355907"),
        ("table.time()", "1772355907"),
        ("require('os').date('!%Y-%m-%dT%XZ')", "2026-03-01T09:05:07Z"),
        ("require('os').date('%Y-%m-%dT%H:%M:%SZ', 0)", "1970-01-01T00:00:00Z"),
        ("table.date('%a %A %b %B %d %F %I %p %y %w %z %Z %% %q', 0)", "Thu Thursday Jan January 01 1970-01-01 12 AM 70 4 +0000 UTC % %q"),
        ("require('os').date(nil, 0)", "01 Jan 70 00:00 UTC"),
        ("require('os').date('!*t').yday", "60"),
        ("require('os').time({year = 2026, month = 3, day = 1, hour = 9, min = 5, sec = 7})", "1772355907"),
        ("require('os').time({year = 2025, month = 14, day = 29})", "1772366400"),
        ("require('os').time({year = '1970', month = '01', day = '01', hour = 0})", "0"),
    ] {
        assert_eq!(printed(expression), text, "{expression}");
    }
}

#[test]
fn nothing_reaches_outside_or_to_the_next_run() {
    let names = "io debug package loadstring load dofile loadfile getfenv setfenv newproxy collectgarbage gcinfo coroutine buffer vector bit32 utf8";
    for name in names.split(' ') {
        assert_eq!(printed(name), "nil", "{name}");
    }
    for name in ["table.create", "table.clone", "string.split", "string.pack", "math.random", "os.getenv", "require('os').execute"] {
        assert_eq!(printed(name), "nil", "{name}");
    }
    let scripts = Scripts::new(
        vec![script(
            "example.com/Widget",
            "if obj.status.first then leak = 1 _G.other = 2 end return {status = 'Healthy', message = tostring(leak) .. tostring(other)}",
        )],
        limits(),
    );
    for (first, message) in [(true, "12"), (false, "nilnil")] {
        let status = if first { json!({"first": true}) } else { json!({}) };
        assert_eq!(scripts.assess(&widget(status)).unwrap().message(), message);
    }
    for source in [
        "string.find = nil",
        "table.x = 1",
        "getmetatable('').__index = nil",
        "getmetatable('').__index.upper = nil",
        "setmetatable(_G, {})",
        "getmetatable(_G).__index = nil",
        "require('os').time = nil",
        "rawset(string, 'x', 1)",
        "rawset(getmetatable(''), 'x', 1)",
    ] {
        assert!(matches!(said(source), Assessment::Error(_)), "{source}");
    }
}

#[test]
fn r411_deletion_comes_before_scripts_and_scripts_before_native_rules() {
    let scripts = [("Pod", "return {status = 'Suspended', message = 'mine'}"), ("batch/Job", "return nil")];
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": "Failed"}});
    assert_eq!(judge(&scripts, &Object::new(pod.clone())).message(), "mine");
    assert_eq!(judge(&[], &Object::new(pod.clone())).status(), Some(HealthStatus::Degraded));
    pod["metadata"]["deletionTimestamp"] = json!("2026-03-01T09:00:00Z");
    assert_eq!(judge(&scripts, &Object::new(pod)).message(), "Pending deletion");
    let job = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "Complete"}]}}));
    assert_eq!(judge(&scripts, &job).status(), Some(HealthStatus::Progressing), "an empty answer is an answer");
}

#[test]
fn the_exact_script_wins_then_the_most_specific_pattern() {
    let of = |api_version: &str, kind: &str, patterns: &[&str]| {
        let all = patterns.iter().map(|kinds| script(kinds, "return {status = 'Healthy'}")).collect();
        let scripts = Scripts::new(all, limits());
        scripts.find(&Gvk::new(api_version, kind)).map(|script| script.name.clone()).unwrap_or_default()
    };
    let patterns = ["*", "*/*", "*.example.com/*", "*.example.com/Wid*", "a.example.com/Widget"];
    for (api_version, kind, name) in [
        ("a.example.com/v1", "Widget", "a.example.com/Widget.lua"),
        ("b.example.com/v1", "Widget", "*.example.com/Wid*.lua"),
        ("b.example.com/v1", "Gadget", "*.example.com/*.lua"),
        ("apps/v1", "Deployment", "*/*.lua"),
        ("v1", "Pod", "*.lua"),
    ] {
        assert_eq!(of(api_version, kind, &patterns), name);
        let backwards: Vec<&str> = patterns.into_iter().rev().collect();
        assert_eq!(of(api_version, kind, &backwards), name);
    }
    assert_eq!(of("apps/v1", "Deployment", &["*"]), "*.lua", "`*` crosses `/`");
    assert_eq!(of("apps/v1", "Deployment", &["Deployment", "batch/*"]), "");
    assert!(Customization::new("a/[", "", "x").is_err());
}

#[test]
fn of_two_scripts_for_one_kind_the_first_holds() {
    let scripts = [("example.com/Widget", "return {status = 'Healthy'}"), ("example.com/Widget", "return {status = 'Degraded'}")];
    assert_eq!(judge(&scripts, &widget(json!({}))).status(), Some(HealthStatus::Healthy));
}

#[test]
fn a_script_sees_no_secret_in_answers_or_errors() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}}, "data": {"p": "hunter2"}, "stringData": {"q": "hunter2"}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [secret]});
    for (kinds, object, path) in [("Secret", &secret, "obj"), ("List", &list, "obj.items[1]")] {
        for rest in ["return {status = 'Healthy', message = text}", "error(text)", "return {status = 'Healthy', message = obj.metadata.x}"]
        {
            let source =
                format!("local o = {path} local text = o.data.p .. o.stringData.q .. tostring(next(o.metadata.annotations)) {rest}");
            let assessment = judge(&[(kinds, &source)], &Object::new(object.clone()));
            assert!(!format!("{assessment:?}").contains("hunter2"), "{assessment:?}");
            assert!(assessment.message().contains(crate::model::object::MASK) || rest.contains("metadata.x"), "{assessment:?}");
        }
    }
}

#[test]
fn many_threads_may_ask_at_once() {
    let scripts = Scripts::new(vec![script("example.com/Widget", "return {status = 'Healthy', message = obj.status.text}")], limits());
    std::thread::scope(|scope| {
        for number in 0..4 {
            let scripts = &scripts;
            scope.spawn(move || {
                for turn in 0..50 {
                    let text = format!("{number}-{turn}");
                    assert_eq!(scripts.assess(&widget(json!({"text": text}))).unwrap().message(), text);
                }
            });
        }
    });
}
