//! Faults of the API that a story can script: which requests they hit, and what happens to those. Plain data;
//! `crate::sim::fault` plays the rules that are made of them.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::time;
use crate::sim::{Match, Outcome, Rule};

/// A fault and the requests that it hits. It begins with its step, or with the story when no step names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FaultRule {
    #[serde(rename = "match", default)]
    matches: RequestMatch,
    /// How long it lasts, by default to the end.
    #[serde(rename = "for", default, deserialize_with = "time::optional")]
    lasts: Option<Duration>,
    /// Answers with this error instead of doing it.
    status: Option<StatusFault>,
    /// Answers 429 as an overloaded server does, with this `Retry-After`.
    #[serde(default, deserialize_with = "time::optional")]
    overload: Option<Duration>,
    /// Answers 403 in the words of the authorizer.
    #[serde(default)]
    forbidden: bool,
    /// The answer takes longer, because the request is handled later.
    latency: Option<Latency>,
    /// The request is handled at once, its answer comes later.
    #[serde(default, deserialize_with = "time::optional")]
    late_answer: Option<Duration>,
    /// A watch ends after this many events.
    drop_watch_after: Option<usize>,
    /// A watch or a followed log breaks off after this many bytes.
    cut_stream_after: Option<usize>,
}

/// Which requests; all that is given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RequestMatch {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; one or several.
    #[serde(default, deserialize_with = "words")]
    verb: Vec<String>,
    /// Plural name, for example `deployments` or `pods/log`.
    resource: Option<String>,
    namespace: Option<String>,
    /// Pattern with `*` at its end.
    name: Option<String>,
    /// Only the first so many matching requests.
    first: Option<u32>,
    /// Lets so many matching requests pass before.
    #[serde(default)]
    skip: u32,
}

/// An error answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StatusFault {
    code: u16,
    #[serde(default)]
    message: String,
}

/// How long answers take: `p50`, and the hundredth `p99`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Latency {
    #[serde(deserialize_with = "time::required")]
    p50: Duration,
    #[serde(default, deserialize_with = "time::optional")]
    p99: Option<Duration>,
}

/// Which of the requests is the slow one.
const SLOW: u32 = 100;

impl FaultRule {
    /// Returns whether it does anything at all.
    pub(super) fn does_something(&self) -> bool {
        !self.outcomes().is_empty()
    }

    /// Returns the rules of the API that play it, beginning at a time.
    pub(super) fn rules(&self, begin: Timestamp) -> Vec<Rule> {
        let RequestMatch { verb, resource, namespace, name, first, skip } = &self.matches;
        let nth = match (skip, first) {
            (0, None) => None,
            (skip, first) => Some(skip + 1..=first.map_or(u32::MAX, |first| skip.saturating_add(first))),
        };
        let when = Match {
            verbs: verb.clone(),
            resource: resource.clone(),
            namespace: namespace.clone(),
            name: name.clone(),
            nth,
            from: Some(begin),
            until: self.lasts.and_then(|lasts| begin.saturating_add(lasts).ok()),
        };
        let mut rules: Vec<Rule> = self.outcomes().into_iter().map(|then| Rule { when: when.clone(), then }).collect();
        if let Some(more) = self.latency.as_ref().and_then(|latency| latency.p99?.checked_sub(latency.p50)) {
            rules.push(Rule { when: Match { nth: Some(SLOW..=SLOW), ..when }, then: Outcome::Latency(more) });
        }
        rules
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let status = self.status.as_ref().map(|status| Outcome::Status {
            code: status.code,
            reason: reason_of(status.code),
            message: status.message.clone(),
        });
        let seconds = |time: Duration| u32::try_from(time.as_secs().max(1)).unwrap_or(u32::MAX);
        let outcomes = [
            status,
            self.overload.map(|after| Outcome::Overload { retry_after: seconds(after) }),
            self.forbidden.then_some(Outcome::Forbidden),
            self.latency.as_ref().map(|latency| Outcome::Latency(latency.p50)),
            self.late_answer.map(Outcome::LateAnswer),
            self.drop_watch_after.map(|after| Outcome::DropWatch { after }),
            self.cut_stream_after.map(|after| Outcome::CutStream { after }),
        ];
        outcomes.into_iter().flatten().collect()
    }
}

/// The word that the API server gives with a code.
fn reason_of(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    }
}

/// Reads a word or a list of words.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match serde_yaml::Value::deserialize(deserializer)? {
        serde_yaml::Value::String(word) => Ok(vec![word]),
        other => serde_yaml::from_value(other).map_err(serde::de::Error::custom),
    }
}
