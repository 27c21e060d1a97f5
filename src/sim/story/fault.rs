//! Faults of the API that a story can script: which requests they hit, and what happens to those. Plain data;
//! `crate::sim::fault` plays them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::time;

/// A fault and the requests that it hits. It begins with its step, or with the story when no step names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FaultRule {
    #[serde(rename = "match", default)]
    pub(crate) matches: RequestMatch,
    /// How long it lasts, by default to the end.
    #[serde(rename = "for", default, deserialize_with = "time::optional")]
    pub(crate) lasts: Option<Duration>,
    /// Answers with this error instead of doing it.
    pub(crate) status: Option<StatusFault>,
    /// Answers 429 as an overloaded server does, with this `Retry-After`.
    #[serde(default, deserialize_with = "time::optional")]
    pub(crate) overload: Option<Duration>,
    /// The connection breaks.
    #[serde(default)]
    pub(crate) unavailable: bool,
    /// The answer takes longer.
    pub(crate) latency: Option<Latency>,
    /// A watch ends after this many events.
    pub(crate) drop_watch_after: Option<usize>,
    /// A watch goes silent after this many events.
    pub(crate) stall_watch_after: Option<usize>,
    /// A followed log breaks off after this many bytes.
    pub(crate) cut_log_after: Option<usize>,
}

/// Which requests; all that is given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RequestMatch {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `log`; one or several.
    #[serde(default, deserialize_with = "words")]
    pub(crate) verb: Vec<String>,
    /// Plural name, for example `deployments`.
    pub(crate) resource: Option<String>,
    pub(crate) namespace: Option<String>,
    /// Pattern with `*`.
    pub(crate) name: Option<String>,
    /// Only the first so many matching requests.
    pub(crate) first: Option<usize>,
    /// Lets so many matching requests pass before.
    #[serde(default)]
    pub(crate) skip: usize,
}

/// An error answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StatusFault {
    pub(crate) code: u16,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// How long answers take: half of them `p50` or less, one of a hundred `p99` or more.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Latency {
    #[serde(deserialize_with = "time::required")]
    pub(crate) p50: Duration,
    #[serde(default, deserialize_with = "time::optional")]
    pub(crate) p99: Option<Duration>,
}

/// Reads a word or a list of words.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match serde_yaml::Value::deserialize(deserializer)? {
        serde_yaml::Value::String(word) => Ok(vec![word]),
        other => serde_yaml::from_value(other).map_err(serde::de::Error::custom),
    }
}
