//! Argo CD's health customisations (spec R411.2): which script judges a kind, and what its answer means. Owns the choice and the verdict;
//! `vm` runs a script in its limits. Knows neither folders nor clusters: whoever reads scripts hands over their texts. Knows no clock
//! either: the stopwatch and the time of day are given.

mod meter;
mod rewrite;
mod shims;
mod tokens;
mod values;
mod vm;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::known;
use crate::model::{Assessment, Glob, Gvk, HealthStatus, Object};
use vm::{Fault, Vm};

/// How long a message may be, in bytes; the rest of a longer one is left out.
const MESSAGE: usize = 8 * 1024;

/// What a script may use, and the two things about time that it cannot know by itself.
#[derive(Clone)]
pub(crate) struct Limits {
    /// Argo CD gives a script one second.
    pub(crate) deadline: Duration,
    /// Loop turns and calls, so that a script ends even where the stopwatch stands still.
    pub(crate) steps: u64,
    /// Bytes.
    pub(crate) memory: usize,
    /// Returns how much time has passed since some moment in the past.
    pub(crate) stopwatch: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// Returns the time of day as seconds since 1970, for `os.time` and `os.date`.
    pub(crate) now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl Limits {
    /// Returns the limits of the program.
    pub(crate) fn new(stopwatch: Arc<dyn Fn() -> Duration + Send + Sync>, now: Arc<dyn Fn() -> i64 + Send + Sync>) -> Self {
        Self { deadline: Duration::from_secs(1), steps: 10_000_000, memory: 64 << 20, stopwatch, now }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("deadline", &self.deadline).field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// A script and the kinds that it judges.
#[derive(Clone, Debug)]
pub(crate) struct Customization {
    kinds: Kinds,
    source: String,
    name: String,
    /// Where it is written, if the name does not say it.
    place: Option<String>,
}

/// The kinds of a script, as one text `group/Kind`, or `Kind` for the core group. One and not two, because in Argo CD a `*` crosses the `/`.
#[derive(Clone, Debug)]
enum Kinds {
    One(String),
    Many(Glob),
}

impl Customization {
    /// Makes a customisation of `group/Kind` or `Kind`, with or without wildcards. `name` is what people are told decided.
    ///
    /// # Errors
    /// The wildcards have no end; a fragment that says which.
    pub(crate) fn new(kinds: &str, source: impl Into<String>, name: impl Into<String>) -> Result<Self, String> {
        let is_pattern = kinds.contains(['*', '?', '[', '{', '\\']);
        let kinds = if is_pattern { Kinds::Many(Glob::parse(kinds)?) } else { Kinds::One(kinds.to_owned()) };
        Ok(Self { kinds, source: source.into(), name: name.into(), place: None })
    }

    /// Says where it is written, for those who have to correct it.
    pub(crate) fn at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
    }
}

/// A script that is compiled when somebody asks whether it can be, or when its first object comes.
struct Script {
    name: String,
    place: String,
    source: String,
    /// Shared by scripts with the same text; the error is that of the compiler.
    code: Arc<OnceLock<Result<Vec<u8>, Fault>>>,
}

impl Script {
    fn code(&self) -> Result<&[u8], Fault> {
        self.code.get_or_init(|| vm::compile(&self.source)).as_deref().map_err(Clone::clone)
    }
}

/// Every script, and the machines that run them.
pub(crate) struct Scripts {
    scripts: Vec<Script>,
    exact: HashMap<String, usize>,
    /// The most specific first. Argo CD's order is that of a Go map, which is none.
    patterns: Vec<(Glob, usize)>,
    limits: Limits,
    /// Machines that nobody uses now. There are never more than threads that asked at once.
    idle: Mutex<Vec<Vm>>,
}

impl fmt::Debug for Scripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.scripts.iter().map(|script| &script.name)).finish()
    }
}

impl Scripts {
    /// Takes scripts in the order of their sources: of two for the same kinds the first one holds.
    pub(crate) fn new(customizations: Vec<Customization>, limits: Limits) -> Self {
        let mut codes: HashMap<[u8; 32], Arc<OnceLock<_>>> = HashMap::new();
        let (mut scripts, mut exact, mut patterns) = (Vec::new(), HashMap::new(), Vec::new());
        for (at, Customization { kinds, source, name, place }) in customizations.into_iter().enumerate() {
            match kinds {
                Kinds::One(key) => {
                    exact.entry(key).or_insert(at);
                }
                Kinds::Many(glob) => patterns.push((glob, at)),
            }
            let code = codes.entry(Sha256::digest(&source).into()).or_default().clone();
            let place = place.unwrap_or_else(|| name.clone());
            scripts.push(Script { name, place, source, code });
        }
        patterns.sort_by_cached_key(|(glob, at)| (Reverse(literals(&glob.to_string())), glob.to_string(), *at));
        Self { scripts, exact, patterns, limits, idle: Mutex::default() }
    }

    /// Compiles what is not compiled yet. Returns a sentence about each script that cannot be: where it is written, why, and what follows.
    pub(crate) fn broken(&self) -> impl Iterator<Item = String> {
        self.scripts.iter().filter_map(|script| {
            let Fault { line, problem } = script.code().err()?;
            let line = line.map(|line| format!(" (its line {line})")).unwrap_or_default();
            let meanwhile = "until it is corrected, a hook of its kinds ends with this error, and a resource is waited for";
            Some(capped(&format!("the health rule of {}{line} cannot be compiled: {problem}; {meanwhile}", script.place)))
        })
    }

    /// Returns the script of a kind: the one that names it, else that of the most specific pattern.
    fn find(&self, gvk: &Gvk) -> Option<&Script> {
        let key = super::rule_name(gvk);
        let pattern = || self.patterns.iter().find(|(glob, _)| glob.matches(&key)).map(|(_, at)| *at);
        self.exact.get(&key).copied().or_else(pattern).map(|at| &self.scripts[at])
    }

    /// Returns whether a script judges a kind.
    pub(super) fn judges(&self, gvk: &Gvk) -> bool {
        self.find(gvk).is_some()
    }

    /// Judges an object by the script of its kind; nothing if there is none.
    pub(super) fn assess(&self, object: &Object) -> Option<Assessment> {
        let script = self.find(&object.gvk())?;
        Some(match self.run(script, object) {
            Ok(answer) => verdict(&script.name, &answer),
            Err(fault) => Assessment::Error(capped(&fault.sentence(&script.name))),
        })
    }

    fn run(&self, script: &Script, object: &Object) -> Result<Value, Fault> {
        let code = script.code()?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let machine = idle.map_or_else(|| Vm::new(&self.limits), Ok)?;
        let answer = if may_hold_secrets(object) { machine.run(code, &object.masked()) } else { machine.run(code, object.wire()) };
        if !machine.is_spoilt() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(machine);
        }
        answer
    }
}

/// How much of a pattern is no wildcard.
fn literals(pattern: &str) -> usize {
    pattern.chars().filter(|letter| !"*?[]{}\\".contains(*letter)).count()
}

/// A script may print what it sees into its message, so it sees no secret.
fn may_hold_secrets(object: &Object) -> bool {
    object.text(&["kind"]) == "Secret" || object.wire().get("items").is_some()
}

/// Reads the answer of a script, with the field names in any case, as Go reads JSON.
fn verdict(rule: &str, answer: &Value) -> Assessment {
    let is_empty = match answer {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if is_empty {
        // Argo CD lets a hook succeed by this and an ordinary resource wait for ever (spec R1542).
        return known(HealthStatus::Progressing, format!("the rule {rule} returned no status"), rule.to_owned());
    }
    match (text(answer, "status"), text(answer, "message")) {
        (Ok(status), Ok(message)) => match STATUSES.iter().find(|known| known.as_str() == status) {
            Some(status) => known(*status, capped(message), rule.to_owned()),
            None => known(HealthStatus::Unknown, "Lua returned an invalid health status".to_owned(), rule.to_owned()),
        },
        (Err(problem), _) | (_, Err(problem)) => Assessment::Error(format!("the health rule {rule} failed: {problem}")),
    }
}

const STATUSES: [HealthStatus; 6] = [
    HealthStatus::Healthy,
    HealthStatus::Suspended,
    HealthStatus::Progressing,
    HealthStatus::Missing,
    HealthStatus::Degraded,
    HealthStatus::Unknown,
];

fn text<'a>(answer: &'a Value, name: &str) -> Result<&'a str, String> {
    let Value::Object(fields) = answer else {
        return Err("expect a table with a status from Lua script, not a list".to_owned());
    };
    let found = fields.get(name).or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
    match found {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(format!("its {name} is no text")),
    }
}

fn capped(text: &str) -> String {
    if text.len() <= MESSAGE {
        return text.to_owned();
    }
    let end = (0..=MESSAGE).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}…", &text[..end])
}
