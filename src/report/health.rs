//! Prints the health of objects: a table for people, or one JSON list
//! `[{"group","kind","namespace","name","status","message","rule"}]` (cli.md). A kind without a rule has neither status nor rule.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::to_line;
use super::style::{Mark, Style};
use super::visible::visible;
use crate::model::{Assessment, Health, HealthStatus, ResourceKey};

/// An object and what the rules say of it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) key: ResourceKey,
    pub(crate) assessment: Assessment,
    /// Whether a status would be looked at, and there is none.
    pub(crate) is_silent: bool,
}

impl Judged {
    /// Returns whether something is wrong with the object. What is on its way, or paused, is not.
    pub(crate) fn is_objection(&self) -> bool {
        match &self.assessment {
            Assessment::NoRule => false,
            Assessment::Known(health) => matches!(health.status, HealthStatus::Degraded | HealthStatus::Unknown),
            Assessment::Error(_) => true,
        }
    }

    fn line(&self) -> HealthJson<'_> {
        let ResourceKey { group, kind, namespace, name } = &self.key;
        // A rule that cannot decide makes the health unknown (spec R411).
        let (status, message, rule) = match &self.assessment {
            Assessment::NoRule => ("", "", ""),
            Assessment::Known(Health { status, message, rule }) => (status.as_str(), message.as_str(), rule.as_str()),
            Assessment::Error(error) => (HealthStatus::Unknown.as_str(), error.as_str(), ""),
        };
        HealthJson { group, kind, namespace, name, status, message, rule }
    }

    fn mark(&self) -> Mark {
        match &self.assessment {
            Assessment::NoRule => Mark::Note,
            Assessment::Error(_) => Mark::Bad,
            Assessment::Known(health) => match health.status {
                HealthStatus::Healthy => Mark::Good,
                HealthStatus::Progressing | HealthStatus::Missing => Mark::Waiting,
                HealthStatus::Suspended => Mark::Stop,
                HealthStatus::Degraded | HealthStatus::Unknown => Mark::Bad,
            },
        }
    }
}

#[derive(Serialize)]
struct HealthJson<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    status: &'a str,
    message: &'a str,
    rule: &'a str,
}

/// Prints a line for each object.
///
/// # Errors
/// The output is closed.
pub(crate) fn plain<W: Write>(out: &mut W, style: Style, judged: &[Judged]) -> io::Result<()> {
    let label = |key: &ResourceKey| match (&*key.namespace, &*key.name) {
        (_, "") => format!("{} without a name", key.kind),
        ("", _) => key.short(),
        (namespace, name) => format!("{}/{namespace}/{name}", key.kind),
    };
    let width = judged.iter().map(|one| label(&one.key).chars().count()).max().unwrap_or_default().min(60);
    for one in judged {
        let line = one.line();
        let (status, rule) = match (&one.assessment, line.rule) {
            (Assessment::NoRule, _) if one.is_silent => ("-", "no rule, and no status yet: done as soon as it exists".to_owned()),
            (Assessment::NoRule, _) => ("-", "no rule: done as soon as it exists".to_owned()),
            (_, "") => (line.status, "no rule could decide".to_owned()),
            (_, rule) => (line.status, format!("rule {rule}")),
        };
        let message = if line.message.is_empty() { String::new() } else { format!("; {}", line.message) };
        let text = format!("{status:<11}  {:<width$}  {rule}{message}", label(&one.key));
        writeln!(out, "{} {}", style.mark(one.mark()), visible(&text))?;
    }
    Ok(())
}

/// Prints one JSON list.
///
/// # Errors
/// The output is closed.
pub(crate) fn json<W: Write>(out: &mut W, judged: &[Judged]) -> io::Result<()> {
    let lines: Vec<HealthJson<'_>> = judged.iter().map(Judged::line).collect();
    out.write_all(&to_line(&lines)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged() -> Vec<Judged> {
        let known = |status, message: &str| Assessment::Known(Health { status, message: message.to_owned(), rule: "batch/Job".to_owned() });
        [
            ("Job", "shop", "migrate", known(HealthStatus::Degraded, "Job has reached the specified backoff limit\u{1b}[2J")),
            ("Job", "shop", "load", known(HealthStatus::Healthy, "")),
            ("Job", "shop", "late", known(HealthStatus::Progressing, "")),
            ("Node", "", "a", Assessment::NoRule),
            ("Job", "", "", Assessment::Error("cannot read the state".to_owned())),
        ]
        .map(|(kind, namespace, name, assessment)| Judged {
            key: ResourceKey::new("batch", kind, namespace, name),
            assessment,
            is_silent: false,
        })
        .into()
    }

    #[test]
    fn a_table_says_status_object_rule_and_message_and_no_control_sequence() {
        let mut out = Vec::new();
        plain(&mut out, Style::default(), &judged()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(),
            [
                "✗ Degraded     Job/shop/migrate    rule batch/Job; Job has reached the specified backoff limit␛[2J",
                "✓ Healthy      Job/shop/load       rule batch/Job",
                "… Progressing  Job/shop/late       rule batch/Job",
                "· -            Node/a              no rule: done as soon as it exists",
                "✗ Unknown      Job without a name  no rule could decide; cannot read the state",
            ]
        );
    }

    #[test]
    fn json_is_one_list_with_the_fields_of_the_contract() {
        let mut out = Vec::new();
        json(&mut out, &judged()[1..4]).unwrap();
        let expected = [
            r#"{"group":"batch","kind":"Job","namespace":"shop","name":"load","status":"Healthy","message":"","rule":"batch/Job"}"#,
            r#"{"group":"batch","kind":"Job","namespace":"shop","name":"late","status":"Progressing","message":"","rule":"batch/Job"}"#,
            r#"{"group":"batch","kind":"Node","namespace":"","name":"a","status":"","message":"","rule":""}"#,
        ];
        assert_eq!(String::from_utf8(out).unwrap(), format!("[{}]\n", expected.join(",")));
    }

    #[test]
    fn only_what_is_degraded_or_unknown_is_an_objection() {
        assert_eq!(judged().iter().map(Judged::is_objection).collect::<Vec<_>>(), [true, false, false, false, true]);
    }
}
