//! Asking for the successor of an object while the old one is still there: without doing it, under a name made up for the trial. Owns what a
//! refusal of that trial proves, and that nobody hears of the name; must not decide what goes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::apply::{Run, Spot, Writing};
use super::wire::{Answer, CallError};
use super::{Cluster, Reporter, unknown_fields};
use crate::model::{Grant, Mode, Object, Verb};

/// Stands for the server's reason where its authorizer says that the successor may not be created.
const DENIED: &str = "Denied";

/// The object that would take the place of an old one, as far as the server says.
#[derive(Debug, PartialEq)]
pub(super) struct Anew {
    pub(super) object: Option<Value>,
    /// Fields of the target that the server drops.
    pub(super) left_out: Vec<String>,
    /// Why there is no object.
    pub(super) approximate: Option<String>,
}

impl Anew {
    /// Makes something of a trial.
    ///
    /// # Errors
    /// A refusal that the target gets without the old object as well.
    pub(super) fn of(trial: Result<Answer, CallError>) -> Result<Self, CallError> {
        match trial {
            Ok(answer) => Ok(Self { left_out: unknown_fields::warned_of(&answer.warnings), object: Some(answer.body), approximate: None }),
            Err(error) if is_final(&error) => Err(error),
            Err(error) => {
                let why = format!("the API server does not try it beside the old one: {error}");
                Ok(Self { object: None, left_out: Vec::new(), approximate: Some(why) })
            }
        }
    }
}

impl Cluster {
    /// Asks for the creation of the target beside what is there. The answer speaks of the target under its own name.
    pub(super) async fn create_beside(&self, spot: Spot<'_>, target: &Object, mode: Mode) -> Result<Answer, CallError> {
        let name = trial_name(spot.name);
        let answer = self.post(Spot { name: &name, ..spot }, &named(target, &name), mode, Run::Dry).await;
        match under_own_name(answer, &name, spot.name) {
            Err(error) if error.is_forbidden() => Err(self.for_certain(spot, mode, error).await),
            answer @ (Ok(_) | Err(_)) => answer,
        }
    }

    /// A quota or a policy may forbid the second object alone. What the server's authorizer denies, it denies to the successor too.
    async fn for_certain(&self, spot: Spot<'_>, mode: Mode, error: CallError) -> CallError {
        let verbs: &[(&str, &str)] = match mode.verb {
            // Whoever creates says the name to the object's content alone, which no role sees.
            Verb::Replace => &[("create", "")],
            Verb::Apply | Verb::ServerSideApply => &[("patch", spot.name), ("create", spot.name)],
        };
        let grant = |(verb, name): &(&str, &str)| Grant {
            verb: (*verb).into(),
            group: spot.resource.gvk.group.clone(),
            resource: spot.resource.plural.clone(),
            subresource: "".into(),
            namespace: spot.namespace.into(),
            name: (*name).into(),
        };
        let needed: BTreeSet<Grant> = verbs.iter().map(grant).collect();
        match (self.allowed(&needed).await, error) {
            (Ok(allowed), CallError::Refused { code, message, causes, retry_after, .. }) if allowed.len() < needed.len() => {
                CallError::Refused { code, reason: DENIED.to_owned(), message, causes, retry_after }
            }
            (_, error) => error,
        }
    }

    /// Asks the same by way of an apply, for what a sync applies after the old object has gone: that refuses in other words. Who may apply
    /// to certain names only is asked by way of a creation.
    pub(super) async fn apply_beside(&self, spot: Spot<'_>, target: &Object, mode: Mode) -> Result<Answer, CallError> {
        let name = trial_name(spot.name);
        let beside = Spot { name: &name, ..spot };
        match self.send_apply(Writing { spot: beside, target: &named(target, &name), mode, reporter: &Reporter::default() }, Run::Dry).await
        {
            Err(error) if error.is_forbidden() => self.create_beside(spot, target, mode).await,
            Ok(answer) if answer.code != 201 => Err(CallError::Withheld("the name for the trial is in use".to_owned())),
            answer @ (Ok(_) | Err(_)) => under_own_name(answer, &name, spot.name),
        }
    }
}

/// Returns whether a refusal is about the target itself, and not about a second object beside the old one, its name, or what the old one
/// holds. What admission says may be about any of that.
pub(crate) fn is_final(error: &CallError) -> bool {
    let CallError::Refused { code, reason, message, causes, .. } = error else { return false };
    let is_of_schema = is_of_schema(message);
    let is_of_admission = ["admission webhook", "ValidatingAdmissionPolicy", "denied the request", "does not support dry run"];
    // An address or a port of the old Service.
    let is_held = message.contains("already allocated");
    // A rule for the whole object may look at its name.
    let is_of_name = !causes.is_empty() && causes.iter().all(|field| matches!(&**field, "metadata.name" | "<nil>" | ""));
    reason == DENIED
        || (matches!(code, 400 | 422) || is_of_schema)
            && !is_held
            && !is_of_name
            && !is_of_admission.iter().any(|words| message.contains(words))
}

/// Returns whether the server could not make an object out of the target, whatever status it says that with.
pub(super) fn is_of_schema(message: &str) -> bool {
    ["failed to create typed patch object", "failed to convert new object"].iter().any(|start| message.starts_with(start))
}

/// A name that fits into a label, as many kinds want it.
fn trial_name(name: &str) -> String {
    let start: String = name.chars().take(57).collect();
    format!("{}-again", start.trim_end_matches('.'))
}

fn named(target: &Object, name: &str) -> Object {
    target.clone().with(|value| value["metadata"]["name"] = name.into())
}

fn under_own_name(answer: Result<Answer, CallError>, from: &str, to: &str) -> Result<Answer, CallError> {
    match answer {
        Ok(Answer { code, mut body, warnings }) => {
            rename(&mut body, from, to);
            Ok(Answer { code, body, warnings: warnings.iter().map(|text| reworded(text, from, to)).collect() })
        }
        Err(CallError::Refused { code, reason, message, causes, retry_after }) => {
            Err(CallError::Refused { code, reason, message: reworded(&message, from, to), causes, retry_after })
        }
        Err(error) => Err(error),
    }
}

/// Gives an object its own name, also where the server has copied the other one to, as into the labels of a Job's pods.
pub(super) fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, from, to)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts one name for another in a sentence, where it is not a part of a longer one.
fn reworded(text: &str, from: &str, to: &str) -> String {
    let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '-';
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let is_part = before.chars().next_back().is_some_and(is_of_name) || after.chars().next().is_some_and(is_of_name);
        made.push_str(before);
        made.push_str(if is_part { from } else { to });
        rest = after;
    }
    made + rest
}

#[cfg(test)]
mod tests;
