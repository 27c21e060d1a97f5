//! A run as a person reads it, for tests that fail: one line for each event.

use serde_json::Value;

/// Returns the events, one line each, with the seconds since the first.
pub(super) fn trace(lines: &[Value]) -> String {
    let Some(first) = lines.first() else { return "(nothing printed)".to_owned() };
    let zero = millis(first);
    lines.iter().map(|line| format!("+{:7.3} {}\n", (millis(line) - zero) as f64 / 1000.0, one(line))).collect()
}

fn millis(line: &Value) -> i64 {
    line["time"].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok()).map_or(0, jiff::Timestamp::as_millisecond)
}

fn one(line: &Value) -> String {
    let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let event = word("event");
    let detail = match event.as_str() {
        "operation.started" => {
            line["tasks"].as_array().map(|tasks| tasks.iter().map(task).collect::<Vec<_>>().join(", ")).unwrap_or_default()
        }
        "phase.started" | "phase.finished" => format!("{} {}", word("phase"), word("result")),
        "wave.started" | "wave.finished" => format!("{} {}", word("phase"), line["wave"]),
        "task.changed" => {
            format!("{} [{}|{}|{}] {}", task(&line["task"]), word("status"), word("hookPhase"), word("health"), word("message"))
        }
        "log" => {
            let text: String = word("line").chars().take(80).collect();
            format!("{} {}#{} {text:?}", task(&line["task"]), word("container"), line["podAttempt"])
        }
        "operation.finished" => format!("{}: {}", word("phase"), word("message")),
        _ => word("message"),
    };
    format!("{event} {detail}")
}

fn task(task: &Value) -> String {
    let word = |key: &str| task[key].as_str().unwrap_or_default();
    format!("{}/{} {}/{}", word("phase"), task["wave"], word("kind"), word("name"))
}
