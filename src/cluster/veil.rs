//! Keeps the values of a Secret out of sentences: the server quotes what it could not read, and so do webhooks and warnings. Owns what
//! counts as a value; must not decide what is said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::wire::{Answer, CallError};
use crate::model::Object;
use crate::model::object::MASK;

/// A shorter value would hide half of each sentence, and nobody guesses it from one.
const SHORTEST: usize = 4;

/// What must not be said about one object. Says everything about anything that is no Secret.
#[derive(Debug, Default)]
pub(super) struct Veil {
    is_secret: bool,
    /// Longest first, so that no value leaves the rest of another one behind.
    values: Vec<String>,
}

impl Veil {
    pub(super) fn of(target: &Object) -> Self {
        let key = target.key();
        if !key.group.is_empty() || *key.kind != *"Secret" {
            return Self::default();
        }
        let mut values = Vec::new();
        for field in ["data", "stringData"] {
            collect(&target.wire()[field], &mut values);
        }
        values.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        values.dedup();
        Self { is_secret: true, values }
    }

    /// Veils everything that an answer says.
    pub(super) fn answer(&self, answer: Result<Answer, CallError>) -> Result<Answer, CallError> {
        match answer {
            Ok(answer) => Ok(Answer { warnings: answer.warnings.iter().map(|text| self.text(text)).collect(), ..answer }),
            Err(error) => Err(self.error(error)),
        }
    }

    fn error(&self, error: CallError) -> CallError {
        match error {
            CallError::Refused { code, reason, message, causes, retry_after } => {
                CallError::Refused { code, reason, message: self.text(&message), causes, retry_after }
            }
            CallError::Lost(text) => CallError::Lost(self.text(&text)),
            CallError::Unreachable(text) => CallError::Unreachable(self.text(&text)),
            CallError::Unreadable(text) => CallError::Unreadable(self.text(&text)),
            CallError::Withheld(text) => CallError::Withheld(self.text(&text)),
            CallError::Unsure(text) => CallError::Unsure(self.text(&text)),
            CallError::TimedOut | CallError::Credentials(_) | CallError::Unsent => error,
        }
    }

    fn text(&self, text: &str) -> String {
        if !self.is_secret {
            return text.to_owned();
        }
        let mut text = match text.split_once("got ") {
            // Whatever follows is a value in the server's own notation.
            Some((before, _)) => format!("{before}got {MASK}"),
            None => text.to_owned(),
        };
        for value in &self.values {
            if text.contains(value) {
                text = text.replace(value, MASK);
            }
        }
        text
    }
}

/// Collects every way in which a value may be written.
fn collect(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => keep(&value.to_string(), values),
        Value::String(text) => {
            keep_written(text, values);
            keep(&STANDARD.encode(text), values);
            let packed: String = text.split_whitespace().collect();
            if let Some(plain) = STANDARD.decode(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
                keep_written(&plain, values);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, values)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, values)),
    }
}

/// A text as it is, as it looks in quotes, and its lines alone.
fn keep_written(text: &str, values: &mut Vec<String>) {
    keep(text, values);
    keep(Value::from(text).to_string().trim_matches('"'), values);
    text.lines().for_each(|line| keep(line.trim(), values));
}

fn keep(text: &str, values: &mut Vec<String>) {
    if text.chars().count() >= SHORTEST {
        values.push(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::cluster::apply::{Before, Spot, Writing};
    use crate::cluster::{Outbox, Reporter, Resource, fake};
    use crate::operation::Event;

    fn secret() -> Object {
        let data = json!({"password": "aHVudGVyMg==", "pin": 123_456});
        let plain = json!({"key": "-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----\n", "ok": "yes"});
        Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data, "stringData": plain}))
    }

    #[test]
    fn no_way_of_writing_a_value_stays_in_a_sentence() {
        let veil = Veil::of(&secret());
        for (said, told) in [
            ("expected string, got &value.valueUnstructured{Value:123456}", "expected string, got ••••••••"),
            ("denied: hunter2 is too short", "denied: •••••••• is too short"),
            ("denied: aHVudGVyMg== is too short, and so is 123456", "denied: •••••••• is too short, and so is ••••••••"),
            ("line \"MIIabcdef\" is no key", "line \"••••••••\" is no key"),
            ("yes, the key `password` is fine", "yes, the key `password` is fine"),
        ] {
            assert_eq!(veil.text(said), told);
        }
        let quoted = format!("cannot read {}", json!("-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----\n"));
        assert!(!veil.text(&quoted).contains("MII"));
        let plain = format!("cannot read {}", STANDARD.encode("-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----\n"));
        assert_eq!(veil.text(&plain), "cannot read ••••••••");
        let config = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "hunter2"}}));
        assert_eq!(Veil::of(&config).error(CallError::Lost("got hunter2".into())), CallError::Lost("got hunter2".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn neither_refusals_nor_warnings_nor_second_tries_say_a_secret_value() {
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let cluster = fake::cluster(move |_| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => fake::status(503, "ServiceUnavailable", "webhook is not ready for hunter2"),
            1 => {
                let answer = http::Response::builder().status(201).header("Warning", "299 - \"do not use hunter2\"");
                answer.body(fake::full("{}")).unwrap()
            }
            _ => fake::status(422, "Invalid", "failed to create typed patch object: .data.pin: expected string, got 123456"),
        });
        let resource = Resource::core("Secret", "secrets");
        let spot = Spot { resource: &resource, namespace: "shop", name: "s" };
        let mode = crate::model::Mode::of(&crate::model::Options::default(), false, &[], &[]);
        let outbox = Arc::new(Outbox::default());
        let reporter = Reporter::new(&outbox, None);
        cluster.apply(Writing { spot, target: &secret(), mode, reporter: &reporter }, &Before::Absent).await.unwrap();
        let told: Vec<String> = outbox.drain().into_iter().map(|event| format!("{event:?}")).collect();
        assert!(told.len() == 2 && told.iter().all(|text| text.contains(MASK) && !text.contains("hunter2")), "{told:?}");
        let error = cluster.apply(Writing { spot, target: &secret(), mode, reporter: &reporter }, &Before::Absent).await.unwrap_err();
        assert_eq!(error.to_string(), format!("failed to create typed patch object: .data.pin: expected string, got {MASK}"));
        assert!(matches!(outbox.drain()[..], [] | [Event::Warned { .. }]));
    }
}
