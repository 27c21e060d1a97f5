//! Story files: what the embedded cluster does, written down. Owns the types and their reading, with the line of
//! every mistake; knows nothing of who plays them.

mod fault;
mod pods;
mod template;
mod time;
mod timeline;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use thiserror::Error;

use crate::sim::Rule;

pub(crate) use fault::FaultRule;
pub(crate) use pods::{Attempts, LogLine, LogText, Match, PodRule, Run, fits};
pub(crate) use template::{Fields, fill};
pub(crate) use timeline::{ClockSettings, ClusterSettings, Event, Input, Metadata, Step, SyncSettings, Target};

/// One story (simulator.md 3.8).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Story {
    api_version: String,
    kind: String,
    pub(crate) metadata: Metadata,
    /// One sentence for the gallery.
    pub(crate) about: String,
    /// How long it plays.
    #[serde(deserialize_with = "time::optional")]
    pub(crate) length: Option<Duration>,
    pub(crate) seed: u64,
    pub(crate) clock: ClockSettings,
    pub(crate) cluster: ClusterSettings,
    pub(crate) sync: SyncSettings,
    pub(crate) input: Vec<Input>,
    /// What is in the cluster from the beginning, and settled.
    pub(crate) objects: Vec<Preloaded>,
    pub(crate) pods: Vec<PodRule>,
    pub(crate) steps: Vec<Step>,
    pub(crate) faults: BTreeMap<String, FaultRule>,
}

/// An object that is there from the beginning.
#[derive(Clone, Debug)]
pub(crate) enum Preloaded {
    /// A pattern of files beside the story; who loads the story replaces it by the objects in them.
    Files(String),
    Object(Value),
}

impl<'de> Deserialize<'de> for Preloaded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Preloaded;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file pattern or an object")
            }

            fn visit_str<E: serde::de::Error>(self, pattern: &str) -> Result<Preloaded, E> {
                Ok(Preloaded::Files(pattern.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Preloaded, A::Error> {
                let object = Value::deserialize(MapAccessDeserializer::new(map))?;
                if object["kind"].is_string() && object["apiVersion"].is_string() {
                    Ok(Preloaded::Object(object))
                } else {
                    Err(A::Error::custom("an object has `apiVersion` and `kind`"))
                }
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A story that cannot be read: the file, where in it, and why.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("story {file}{}: {message}", at(*.line, *.column))]
pub(crate) struct StoryError {
    pub(crate) file: String,
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    pub(crate) message: String,
}

fn at(line: Option<usize>, column: Option<usize>) -> String {
    line.map(|line| format!(":{line}:{}", column.unwrap_or(1))).unwrap_or_default()
}

impl Story {
    /// Reads a story; `file` is only for messages. A key that stories do not have is an error with its line.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self, StoryError> {
        let story: Self = serde_yaml::from_str(text).map_err(|error| StoryError::of_yaml(&error, file))?;
        story.check().map_err(|message| StoryError { file: file.to_owned(), line: None, column: None, message })?;
        Ok(story)
    }

    /// Returns the file patterns in `objects`.
    pub(crate) fn object_files(&self) -> Vec<&str> {
        self.objects
            .iter()
            .filter_map(|object| match object {
                Preloaded::Files(pattern) => Some(pattern.as_str()),
                Preloaded::Object(_) => None,
            })
            .collect()
    }

    /// Adds objects that are there from the beginning.
    pub(crate) fn with_objects(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.objects.extend(objects.into_iter().map(Preloaded::Object));
        self
    }

    /// Returns the rules of the story's faults for a cluster that starts at `start`. A fault begins with the step that
    /// names it, or with the story.
    pub(crate) fn fault_rules(&self, start: Timestamp) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (name, fault) in &self.faults {
            let named = self.steps.iter().filter(|step| matches!(&step.what, Event::Fault(of) if of == name));
            let mut begins: Vec<Duration> = named.map(|step| step.at).collect();
            if begins.is_empty() {
                begins.push(Duration::ZERO);
            }
            rules.extend(begins.into_iter().flat_map(|at| fault.rules(start.saturating_add(at).unwrap_or(Timestamp::MAX))));
        }
        rules
    }

    fn check(&self) -> Result<(), String> {
        if self.api_version != "sim/v1" || self.kind != "Scenario" {
            return Err("a story begins with `apiVersion: sim/v1` and `kind: Scenario`".into());
        }
        if !(self.clock.speed.is_finite() && self.clock.speed > 0.0) {
            return Err(format!("`clock.speed` is a positive number, not {}", self.clock.speed));
        }
        for (index, step) in self.steps.iter().enumerate() {
            check_step(step, &self.faults).map_err(|problem| format!("steps[{index}]: {problem}"))?;
        }
        if let Some((name, _)) = self.faults.iter().find(|(_, fault)| !fault.does_something()) {
            return Err(format!(
                "faults.{name}: say what happens: `status`, `overload`, `forbidden`, `latency`, `lateAnswer`, `dropWatchAfter` or `cutStreamAfter`"
            ));
        }
        for (index, rule) in self.pods.iter().enumerate() {
            check_rule(rule).map_err(|problem| format!("pods[{index}]: {problem}"))?;
        }
        Ok(())
    }
}

fn check_step(step: &Step, faults: &BTreeMap<String, FaultRule>) -> Result<(), String> {
    match &step.what {
        Event::Fault(name) if !faults.contains_key(name) => Err(format!("there is no fault `{name}` under `faults`")),
        Event::Create(object) if !(object["kind"].is_string() && object["apiVersion"].is_string()) => {
            Err("the object to create has `apiVersion` and `kind`".into())
        }
        Event::Fault(_) | Event::Create(_) | Event::Patch(..) | Event::Delete(_) => Ok(()),
    }
}

fn check_rule(rule: &PodRule) -> Result<(), String> {
    let ways = [!rule.runs.is_empty(), rule.crash.is_some(), rule.hang].iter().filter(|given| **given).count();
    if ways > 1 {
        return Err("give one of `runs`, `crash` and `hang`".into());
    }
    for step in rule.runs.iter().chain(&rule.crash).flat_map(|run| &run.steps) {
        if matches!(step.what, Event::Fault(_)) {
            return Err("a fault begins at a time of the story, not in a run: put it under `steps` of the story".into());
        }
        check_step(step, &BTreeMap::new())?;
    }
    match rule.matches.owner.as_deref() {
        Some(owner) if !owner.contains('/') && owner != "*" => Err(format!("`owner` is `Kind/name`, not `{owner}`")),
        _ => Ok(()),
    }
}

impl StoryError {
    fn of_yaml(error: &serde_yaml::Error, file: &str) -> Self {
        let text = error.to_string();
        let place = error.location();
        let end = place.as_ref().and_then(|place| text.rfind(&format!(" at line {} column", place.line()))).unwrap_or(text.len());
        Self {
            file: file.to_owned(),
            line: place.as_ref().map(serde_yaml::Location::line),
            column: place.as_ref().map(serde_yaml::Location::column),
            message: text[..end].to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
