//! What a story says about pods: which containers a rule is for, how their images are pulled, what they print, how
//! long they run and how they end. Plain data; `crate::sim::kubelet` plays it.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use base64::Engine as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::time;
use super::timeline::Step;

/// A rule for the containers of some pods. The first rule that matches a container is the one that counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PodRule {
    /// Which containers; an empty match is for all.
    #[serde(rename = "match", default)]
    pub(crate) matches: Match,
    /// How attempt 1, 2, … pulls the image; the last entry repeats.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) pull: Vec<Pull>,
    /// How attempt 1, 2, … runs; the last entry repeats. For a Job, the attempts are counted over its pods.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) runs: Vec<Run>,
    /// Over what the attempts are counted.
    #[serde(default)]
    pub(crate) attempts: Attempts,
    /// The container ends like this whenever it runs.
    pub(crate) crash: Option<Run>,
    /// When a running container becomes ready.
    pub(crate) ready: Option<Ready>,
    /// What it prints in runs that say nothing of their own.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) logs: Vec<LogLine>,
    /// The container never ends by itself.
    #[serde(default)]
    pub(crate) hang: bool,
    /// A termination signal has no effect: the pod uses its whole grace period.
    #[serde(default)]
    pub(crate) ignore_term: bool,
    /// The container cannot be created, for this reason, for example `secret "x" not found`.
    pub(crate) config_error: Option<String>,
}

/// Conditions of a rule; all that are given must hold. Names are patterns with `*`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Match {
    /// `Kind/name` of the pod itself or of any of its owners.
    pub(crate) owner: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) image: Option<String>,
    /// Namespace of the pod.
    pub(crate) namespace: Option<String>,
    /// Labels that the pod must have.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// Name of the pod.
    pub(crate) name: Option<String>,
}

/// Over what attempts are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Attempts {
    /// Each Job, and each pod outside of Jobs, starts with the first entry.
    #[default]
    PerObject,
    /// The whole story counts on, also over Jobs of later syncs.
    PerStory,
}

/// One pull of an image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Pull {
    /// How long it takes.
    #[serde(default, alias = "after", deserialize_with = "time::optional")]
    pub(crate) delay: Option<Duration>,
    /// It fails with this text.
    pub(crate) error: Option<String>,
}

/// One run of a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Run {
    /// How long it runs.
    #[serde(default, deserialize_with = "time::optional")]
    pub(crate) after: Option<Duration>,
    #[serde(default)]
    pub(crate) exit: i32,
    /// Why it ended, by default `Completed` or `Error`.
    pub(crate) reason: Option<String>,
    /// The termination message.
    pub(crate) message: Option<String>,
    /// It never ends.
    #[serde(default)]
    pub(crate) hang: bool,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) logs: Vec<LogLine>,
    /// What it does to the cluster, counted from its start; not after its end.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) steps: Vec<Step>,
}

/// When a running container becomes ready.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Ready {
    #[serde(default, deserialize_with = "time::optional")]
    pub(crate) after: Option<Duration>,
    /// Up to this much more, by chance.
    #[serde(default, deserialize_with = "time::optional")]
    pub(crate) jitter: Option<Duration>,
    /// It never becomes ready.
    #[serde(default)]
    pub(crate) never: bool,
    /// What the readiness probe says until then.
    pub(crate) message: Option<String>,
}

/// A line that a container prints once (`at`) or repeatedly (`every`, `count`), counted from its start.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawLogLine")]
pub(crate) struct LogLine {
    /// When it is printed first.
    pub(crate) first: Duration,
    /// The pause between repetitions, `None` for a single line.
    pub(crate) every: Option<Duration>,
    /// How often; `None` is as long as the container runs.
    pub(crate) count: Option<u32>,
    pub(crate) text: LogText,
}

/// The text of a log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogText {
    /// Text with `{{ }}` fields; see `super::template`.
    Template(String),
    /// Bytes as they are, not necessarily UTF-8.
    Bytes(Vec<u8>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawLogLine {
    #[serde(default, deserialize_with = "time::optional")]
    at: Option<Duration>,
    #[serde(default, deserialize_with = "time::optional")]
    every: Option<Duration>,
    count: Option<u32>,
    line: Option<String>,
    raw: Option<String>,
}

impl TryFrom<RawLogLine> for LogLine {
    type Error = String;

    fn try_from(raw: RawLogLine) -> Result<Self, String> {
        let text = match (raw.line, raw.raw) {
            (Some(line), None) => LogText::Template(line),
            (None, Some(bytes)) => LogText::Bytes(
                base64::engine::general_purpose::STANDARD
                    .decode(bytes.trim())
                    .map_err(|error| format!("`raw` of a log line is base64, but {error}"))?,
            ),
            (Some(_), Some(_)) | (None, None) => return Err("a log line has either `line` or `raw`".into()),
        };
        if raw.count.is_some() && raw.every.is_none() {
            return Err("`count` of a log line needs `every`".into());
        }
        if raw.every.is_some_and(|every| every.is_zero()) {
            return Err("`every` of a log line is longer than 0s".into());
        }
        Ok(Self { first: raw.at.or(raw.every).unwrap_or_default(), every: raw.every, count: raw.count, text })
    }
}

/// Reads a list, or a single mapping as a list of one. Unlike an untagged enum it keeps the line of an error.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a mapping, or a list of mappings")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                items.push(item);
            }
            if items.is_empty() { Err(A::Error::custom("an empty list says nothing; leave it out")) } else { Ok(items) }
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
        }
    }

    deserializer.deserialize_any(OneOrMany(PhantomData))
}

impl PodRule {
    /// Returns the pull of an attempt, counted from 0.
    pub(crate) fn pull(&self, attempt: usize) -> Option<&Pull> {
        self.pull.get(attempt).or(self.pull.last())
    }

    /// Returns the run of an attempt, counted from 0.
    pub(crate) fn run(&self, attempt: usize) -> Option<&Run> {
        self.runs.get(attempt).or(self.runs.last()).or(self.crash.as_ref())
    }
}

/// Returns whether `text` fits a pattern in which `*` stands for any run of characters.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    let mut text = text;
    for part in parts {
        let Some(found) = text.find(part) else { return false };
        text = &text[found + part.len()..];
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("Job/db-*", "Job/db-migrate"));
        assert!(fits("ghcr.io/*/web:*", "ghcr.io/acme/web:1.2"));
        assert!(fits("*", ""));
        assert!(fits("a*a", "aa"));
        assert!(!fits("a*a", "a"));
        assert!(!fits("web", "web2"));
    }
}
