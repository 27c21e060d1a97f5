//! What must hold in every story: the printed events keep the contract of cli.md and agree with what happened in the cluster. Plays
//! nothing: it is handed what was played.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::Value;

use super::play::Played;
use crate::manifest::Manifest;

const PHASES: [&str; 4] = ["PreSync", "Sync", "PostSync", "SyncFail"];
const EVENTS: [&str; 13] = [
    "operation.started",
    "phase.started",
    "phase.finished",
    "wave.started",
    "wave.finished",
    "task.changed",
    "log",
    "waiting",
    "retry.scheduled",
    "terminate.requested",
    "warning",
    "operation.finished",
    "settled",
];

/// The printed lines of one operation.
pub(super) struct Account {
    pub(super) lines: Vec<Value>,
}

/// Splits what was printed into operations.
pub(super) fn accounts(printed: &str) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    for line in printed.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON: {error}: {line}"));
        if line["event"] == "operation.started" {
            accounts.push(Account { lines: Vec::new() });
        }
        accounts.last_mut().expect("the first line starts an operation").lines.push(line);
    }
    accounts
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Returns what identifies a task: phase, group, kind, namespace, name.
fn identity(task: &Value) -> [&str; 5] {
    ["phase", "group", "kind", "namespace", "name"].map(|key| text(task, key))
}

fn named(task: &Value) -> String {
    format!("{} {}/{}", text(task, "phase"), text(task, "kind"), text(task, "name"))
}

impl Account {
    pub(super) fn of<'a>(&'a self, event: &'a str) -> impl DoubleEndedIterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["event"] == event)
    }

    pub(super) fn started(&self) -> &Value {
        &self.lines[0]
    }

    pub(super) fn finished(&self) -> &Value {
        self.lines.last().expect("an account begins with a line")
    }

    fn time(line: &Value) -> Timestamp {
        text(line, "time").parse().unwrap_or_else(|error| panic!("no time: {error}: {line}"))
    }
}

/// Returns everything that does not hold.
pub(super) fn check(folder: &Path, played: &Played) -> Vec<String> {
    let mut problems = Vec::new();
    let accounts = accounts(&played.printed);
    if accounts.is_empty() {
        problems.push(format!("{}: no operation was printed", folder.display()));
    }
    for account in &accounts {
        form(account, &mut problems);
        if account.finished()["event"] != "operation.finished" {
            problems.push("the last line is not operation.finished".to_owned());
            continue;
        }
        every_task_has_one_end(account, &mut problems);
        every_manifest_is_named(account, played, &mut problems);
        order(account, &mut problems);
        logs(account, played, &mut problems);
    }
    for title in played.truth.finalizers() {
        problems.push(format!("{title} still has a hook finalizer"));
    }
    let secrets = played.truth.secrets();
    if secrets.is_empty() && played.manifests.iter().any(|manifest| &*manifest.object.gvk().kind == "Secret") {
        problems.push("there is a Secret, and nobody knows its values".to_owned());
    }
    for secret in secrets {
        if played.printed.contains(&secret) {
            problems.push(format!("the value of a Secret is printed: {secret}"));
        }
    }
    problems
}

fn form(account: &Account, problems: &mut Vec<String>) {
    let id = text(account.started(), "operation");
    let mut last = Timestamp::MIN;
    for line in &account.lines {
        let time = Account::time(line);
        if time < last {
            problems.push(format!("time goes back: {line}"));
        }
        last = time;
        if text(line, "operation") != id || id.is_empty() || !EVENTS.contains(&text(line, "event")) {
            problems.push(format!("not a line of this operation: {line}"));
        }
    }
}

/// What was planned has a result or a reason why not, and never both; what was planned not to run has a reason in the end too.
fn every_task_has_one_end(account: &Account, problems: &mut Vec<String>) {
    let (started, finished) = (account.started(), account.finished());
    let ran: Vec<[&str; 5]> = items(finished, "results").iter().map(|result| identity(&result["task"])).collect();
    let left: Vec<[&str; 5]> = items(finished, "notRun").iter().map(|result| identity(&result["task"])).collect();
    for task in items(started, "tasks") {
        let times = ran.iter().chain(&left).filter(|other| **other == identity(task)).count();
        if times != 1 {
            problems.push(format!("{} has {times} entries in results and notRun", named(task)));
        }
    }
    for entry in items(started, "notRun") {
        if !left.contains(&identity(&entry["task"])) {
            problems.push(format!("{} was never to run, and the end does not say so", named(&entry["task"])));
        }
    }
    let planned: BTreeSet<[&str; 5]> =
        items(started, "tasks").iter().chain(items(started, "notRun").iter().map(|entry| &entry["task"])).map(identity).collect();
    for entry in ran.iter().chain(&left).filter(|entry| !planned.contains(*entry)) {
        problems.push(format!("{} ends, and was never planned", entry.join(" ")));
    }
}

fn every_manifest_is_named(account: &Account, played: &Played, problems: &mut Vec<String>) {
    let finished = account.finished();
    let named: Vec<&Value> = items(finished, "results").iter().chain(items(finished, "notRun")).map(|entry| &entry["task"]).collect();
    for manifest in &played.manifests {
        if !named.iter().any(|task| is_of(task, manifest, &played.namespace)) {
            problems.push(format!("the manifest at {} is neither in results nor in notRun", manifest.origin));
        }
    }
}

fn is_of(task: &Value, manifest: &Manifest, namespace: &str) -> bool {
    let (object, gvk) = (&manifest.object, manifest.object.gvk());
    let name = text(task, "name");
    let is_named = if object.name().is_empty() { name.starts_with(object.generate_name()) } else { name == object.name() };
    let home = if object.namespace().is_empty() { namespace } else { object.namespace() };
    let lives = text(task, "namespace");
    *gvk.kind == *text(task, "kind") && *gvk.group == *text(task, "group") && is_named && (lives == home || lives.is_empty())
}

/// Phases and waves come in order, one after the other; SyncFail may begin while others end (spec R626).
fn order(account: &Account, problems: &mut Vec<String>) {
    let rank = |phase: &str| PHASES.iter().position(|other| *other == phase);
    let mut open: Vec<&str> = Vec::new();
    let mut begun: Vec<&str> = Vec::new();
    let mut waves: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &account.lines {
        let phase = text(line, "phase");
        match text(line, "event") {
            "phase.started" => {
                let early = open.iter().any(|_| phase != "SyncFail") || begun.last().is_some_and(|last| rank(phase) <= rank(last));
                if early || rank(phase).is_none() {
                    problems.push(format!("phase {phase} starts after {begun:?}, with {open:?} open"));
                }
                open.push(phase);
                begun.push(phase);
            }
            "phase.finished" if open.contains(&phase) => open.retain(|other| *other != phase),
            "phase.finished" => problems.push(format!("phase {phase} finishes without having started")),
            "wave.started" => {
                let wave = line["wave"].as_i64().unwrap_or(i64::MIN);
                let late = waves.insert(phase, wave).is_none_or(|last| last < wave || phase == "SyncFail");
                if !late || !open.contains(&phase) {
                    problems.push(format!("wave {wave} of {phase} starts out of its turn"));
                }
            }
            // What is refused before the first group has no phase to be in (spec R608, R612).
            "task.changed" if !["", "SyncFailed"].contains(&text(line, "status")) && !begun.contains(&text(&line["task"], "phase")) => {
                problems.push(format!("{} has a status before its phase has started", named(&line["task"])));
            }
            _ => {}
        }
    }
    if !open.is_empty() {
        problems.push(format!("{open:?} never finished"));
    }
}

/// Every line that a hook's pods printed during the operation is printed exactly once, in order, and nothing else is. A hook of an
/// earlier operation that was not made anew (spec R308) may show its old log, but then the whole of it.
fn logs(account: &Account, played: &Played, problems: &mut Vec<String>) {
    let (from, until) = (Account::time(account.started()), Account::time(account.finished()));
    let mut printed = played.truth.hook_lines(until);
    let mut told: BTreeMap<(String, String), Vec<Vec<u8>>> = BTreeMap::new();
    let mut unfinished = BTreeSet::new();
    for line in account.of("log") {
        let key = (text(line, "pod").to_owned(), text(line, "container").to_owned());
        if !line["dropped"].is_null() {
            problems.push(format!("lines were dropped: {line}"));
        }
        let lines = told.entry(key.clone()).or_default();
        match lines.last_mut().filter(|_| unfinished.contains(&key)) {
            Some(last) => last.extend(bytes(line)),
            None => lines.push(bytes(line)),
        }
        if line["continued"] == true {
            unfinished.insert(key)
        } else {
            unfinished.remove(&key)
        };
    }
    printed.retain(|key, printed| printed.since >= from || told.contains_key(key));
    for key in printed.keys().chain(told.keys()).collect::<BTreeSet<_>>() {
        let (there, here) = (printed.get(key).map(|printed| &printed.lines), told.get(key));
        if there != here {
            let show = |lines: Option<&Vec<Vec<u8>>>| {
                let lines = lines.map(Vec::as_slice).unwrap_or_default();
                format!("{:?}", lines.iter().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>())
            };
            problems.push(format!("container {} of pod {} printed {}, and the log events say {}", key.1, key.0, show(there), show(here)));
        }
    }
}

fn bytes(line: &Value) -> Vec<u8> {
    match line["raw"].as_str() {
        Some(raw) => base64::engine::general_purpose::STANDARD.decode(raw).unwrap(),
        None => text(line, "line").as_bytes().to_vec(),
    }
}
