//! What holds for every run, whatever it does: the shape of the lines (cli.md), and facts that never contradict each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::outcome::Outcome;

/// Checks a whole run.
pub(super) fn check(outcome: &Outcome) {
    let lines = &outcome.lines;
    assert_eq!(lines[0]["event"], "operation.started", "the first line");
    assert_eq!(outcome.last()["event"], "operation.finished", "the last line");
    let id = lines[0]["operation"].as_str().unwrap();
    assert!(!id.is_empty(), "the operation has an id");
    for line in lines {
        assert_eq!(line["operation"], id, "one operation: {line}");
        let time = line["time"].as_str().unwrap();
        assert!(time.len() == "2026-03-01T09:00:00.000Z".len() && time.ends_with('Z'), "milliseconds, UTC: {time}");
        shape(line);
    }
    ends_agree(outcome);
    no_repetition(lines);
    phases_and_waves_nest(lines);
}

fn shape(line: &Value) {
    let has = |keys: &[&str]| {
        for key in keys {
            assert!(line.get(key).is_some(), "{key} is missing: {line}");
        }
    };
    match line["event"].as_str().unwrap() {
        "operation.started" => has(&["app", "kind", "engine", "context", "cluster", "revision", "request", "tasks", "notRun"]),
        "operation.finished" => has(&["phase", "message", "terminated", "results", "attempts", "notRun", "startedAt", "finishedAt"]),
        "phase.started" => has(&["phase"]),
        "phase.finished" => has(&["phase", "result"]),
        "wave.started" | "wave.finished" => has(&["phase", "wave"]),
        "task.changed" => has(&["task", "status", "hookPhase", "health", "rule", "message", "attempt"]),
        "log" => has(&["task", "pod", "container", "logTime", "attempt", "podAttempt"]),
        "waiting" => has(&["message", "on"]),
        "terminate.requested" => has(&["by"]),
        "warning" => has(&["message"]),
        _ => {}
    }
    if let Some(task) = line.get("task") {
        for key in ["phase", "wave", "group", "version", "kind", "namespace", "name", "hook", "hookTypes", "deletePolicies"] {
            assert!(task.get(key).is_some(), "{key} of the task is missing: {line}");
        }
    }
}

/// The exit code follows the phase, and the last word about each task is its result.
fn ends_agree(outcome: &Outcome) {
    let last = outcome.last();
    let code = match (last["phase"].as_str().unwrap(), last["terminated"].as_bool().unwrap()) {
        (_, true) => 3,
        ("Succeeded", false) => 0,
        ("Failed", false) => 1,
        ("Error", false) => 4,
        (other, _) => panic!("no phase of an end: {other}"),
    };
    assert_eq!(outcome.code, Some(code), "exit code of {}", last["phase"]);
    let mut said = BTreeMap::new();
    for line in outcome.events("task.changed").iter().filter(|line| line["status"] != "") {
        said.insert(key(&line["task"]), (line["status"].clone(), line["hookPhase"].clone(), line["message"].clone()));
    }
    let mut results = BTreeMap::new();
    for result in last["results"].as_array().unwrap() {
        let value = (result["status"].clone(), result["hookPhase"].clone(), result["message"].clone());
        assert!(results.insert(key(&result["task"]), value).is_none(), "two results of one task: {result}");
    }
    assert_eq!(said, results, "what was said, and the results");
}

fn key(task: &Value) -> [String; 5] {
    ["phase", "group", "kind", "namespace", "name"].map(|key| task[key].as_str().unwrap().to_owned())
}

/// A line that says what the line before said is noise.
fn no_repetition(lines: &[Value]) {
    let mut before: BTreeMap<[String; 5], &Value> = BTreeMap::new();
    for line in lines.iter().filter(|line| line["event"] == "task.changed") {
        let same = |key: &str, other: &Value| line[key] == other[key];
        if let Some(other) = before.insert(key(&line["task"]), line) {
            let repeated = ["status", "hookPhase", "health", "message", "attempt", "podProblem"].into_iter().all(|key| same(key, other));
            assert!(!repeated, "said twice: {line}");
        }
    }
    let waits: Vec<&Value> = lines.iter().filter(|line| line["event"] == "waiting").collect();
    for pair in waits.windows(2) {
        assert!((&pair[0]["message"], &pair[0]["on"]) != (&pair[1]["message"], &pair[1]["on"]), "waits twice: {}", pair[1]);
    }
}

/// What has started ends once, and a wave lies within its phase.
fn phases_and_waves_nest(lines: &[Value]) {
    let mut open_phases = BTreeSet::new();
    let mut open_waves = BTreeSet::new();
    for line in lines {
        let phase = line["phase"].as_str().unwrap_or_default().to_owned();
        let wave = (phase.clone(), line["wave"].as_i64().unwrap_or_default());
        match line["event"].as_str().unwrap() {
            "phase.started" => assert!(open_phases.insert(phase), "started twice: {line}"),
            "phase.finished" => assert!(open_phases.remove(&phase), "was not open: {line}"),
            "wave.started" => {
                assert!(open_phases.contains(&phase), "outside its phase: {line}");
                assert!(open_waves.insert(wave), "started twice: {line}");
            }
            "wave.finished" => assert!(open_waves.remove(&wave), "was not open: {line}"),
            _ => {}
        }
    }
    assert!(open_phases.is_empty() && open_waves.is_empty(), "never ended: {open_phases:?} {open_waves:?}");
}
