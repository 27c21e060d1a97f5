//! A run that has ended: its exit code, and questions to what it printed.

use serde_json::Value;

use super::contract;

/// What a run of the binary left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) lines: Vec<Value>,
    pub(crate) code: Option<i32>,
    pub(crate) errors: String,
}

impl Outcome {
    pub(super) fn new(lines: Vec<Value>, code: Option<i32>, errors: String) -> Self {
        let outcome = Self { lines, code, errors };
        if !outcome.lines.is_empty() {
            contract::check(&outcome);
        }
        outcome
    }

    /// Checks exit code, phase and message.
    pub(crate) fn assert_end(&self, code: i32, phase: &str, message: &str) {
        let last = self.last();
        let end = (self.code, last["phase"].as_str().unwrap(), last["message"].as_str().unwrap());
        assert_eq!(end, (Some(code), phase, message), "{}", self.errors);
    }

    /// Returns the last line of the operation.
    pub(crate) fn last(&self) -> &Value {
        self.lines.last().unwrap_or_else(|| panic!("printed nothing; exit {:?}: {}", self.code, self.errors))
    }

    /// Returns the lines of one event.
    pub(crate) fn events(&self, event: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["event"] == event).collect()
    }

    /// Returns the results as text, `PreSync Job/migrate Synced Succeeded: message`, in their order.
    pub(crate) fn results(&self) -> Vec<String> {
        let text = |result: &Value| {
            let (task, word) = (&result["task"], |key: &str| result[key].as_str().unwrap());
            format!(
                "{} {}/{} {} {}: {}",
                task["phase"].as_str().unwrap(),
                task["kind"].as_str().unwrap(),
                task["name"].as_str().unwrap(),
                word("status"),
                word("hookPhase"),
                word("message")
            )
        };
        self.last()["results"].as_array().unwrap().iter().map(text).collect()
    }

    /// Returns what did not run, `Job/alert: notNeeded`, sorted.
    pub(crate) fn not_run(&self) -> Vec<String> {
        let text = |one: &Value| {
            let task = &one["task"];
            assert!(!one["reason"].as_str().unwrap().is_empty(), "a reason without words: {one}");
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            format!("{}/{}: {}", word(&task["kind"]), word(&task["name"]), word(&one["code"]))
        };
        let mut texts: Vec<String> = self.last()["notRun"].as_array().unwrap().iter().map(text).collect();
        texts.sort();
        texts
    }

    /// Returns what outlives the app, `Job/after: reason`, sorted.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let text = |one: &Value| format!("{}/{}: {}", word(&one["task"]["kind"]), word(&one["task"]["name"]), word(&one["reason"]));
        let mut texts: Vec<String> = self.last()["leftBehind"].as_array().unwrap().iter().map(text).collect();
        texts.sort();
        texts
    }

    /// Returns the log of a hook whose name begins so: which of its pods, and the line.
    pub(crate) fn log(&self, name: &str) -> Vec<(u64, &str)> {
        let lines = self.events("log").into_iter().filter(|line| line["task"]["name"].as_str().unwrap().starts_with(name));
        lines.map(|line| (line["podAttempt"].as_u64().unwrap(), line["line"].as_str().unwrap_or("(dropped)"))).collect()
    }

    /// Returns every text that said what is waited for.
    pub(crate) fn waited(&self) -> Vec<&str> {
        self.events("waiting").into_iter().map(|line| line["message"].as_str().unwrap()).filter(|text| !text.is_empty()).collect()
    }

    /// Returns the tasks that began, in the order of their first result: `PreSync Job/migrate`.
    pub(crate) fn started(&self) -> Vec<String> {
        let mut order: Vec<String> = Vec::new();
        for line in self.events("task.changed") {
            let task = &line["task"];
            let word = |key: &str| task[key].as_str().unwrap();
            let text = format!("{} {}/{}", word("phase"), word("kind"), word("name"));
            if !line["status"].as_str().unwrap().is_empty() && !order.contains(&text) {
                order.push(text);
            }
        }
        order
    }

    /// Returns how long the operation took, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        let time = |key: &str| self.last()[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        time("finishedAt").duration_since(time("startedAt")).as_secs_f64()
    }
}
