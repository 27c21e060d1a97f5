//! What the person asked for. Plain data, read from options and configuration elsewhere.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Options, Phase, ResourceKey, Wave, Windows};
use crate::plan::ignore::IgnoreRules;
use crate::plan::{HookSelector, Hooks, Selector};

/// Options in force for one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) prune: bool,
    /// Nothing is written; every task says what it would do (spec R1318).
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) dry_run: bool,
    /// What cannot be changed is deleted and created again (spec R712).
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) force: bool,
    /// Options of the whole operation (spec R701).
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) options: Options,
    /// `None`: a full sync. Otherwise a selective one (spec topic 8).
    pub(crate) selection: Option<Vec<Selector>>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) hooks: Hooks,
    /// A hook with the policy HookSucceeded goes when it has succeeded itself, not only when the operation has (decision 9).
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) delete_succeeded_hooks_early: bool,
    /// Hooks that are left out.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) skip_hooks: Vec<HookSelector>,
    /// Pause after each group that is not the last (decision 3).
    #[serde(serialize_with = "seconds")]
    pub(crate) wave_delay: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) retry: Retry,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) limits: Limits,
    /// How long nothing may change before it is said; zero: it is never said.
    #[serde(skip)]
    pub(crate) stall_after: Duration,
    /// Where the operation stops and waits for a person.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) pause_before: Vec<Breakpoint>,
    /// Sync windows that concern the app (spec R1402).
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) windows: Windows,
    /// Differences that are ignored (spec R722).
    #[serde(rename = "ignoreDifferences", skip_serializing_if = "is_default")]
    pub(crate) ignore: IgnoreRules,
    /// Objects that an Argo CD Application owns are synced all the same (decision 7).
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) take_over: bool,
    /// Prunes that were confirmed in advance (`--approve`).
    pub(crate) approved: Vec<ResourceKey>,
    /// Who asked.
    pub(crate) by: String,
}

impl Request {
    /// Returns the request of a deletion as usual: hooks that fail run again after 5 s, then after growing pauses, without end (cli.md).
    pub(crate) fn deletion() -> Self {
        Self { retry: Retry { limit: None, ..Retry::default() }, ..Self::default() }
    }
}

/// How often and when a failed operation starts anew (spec topic 10).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Retry {
    /// 0: never. `None`: without end.
    pub(crate) limit: Option<u32>,
    #[serde(serialize_with = "seconds")]
    pub(crate) duration: Duration,
    pub(crate) factor: u32,
    /// Longest pause; zero: no limit.
    #[serde(serialize_with = "seconds")]
    pub(crate) max_duration: Duration,
}

/// Limits of time; `None`: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Limits {
    /// Of the whole operation, retries included (spec R911).
    #[serde(serialize_with = "maybe_seconds")]
    pub(crate) operation: Option<Duration>,
    #[serde(serialize_with = "maybe_seconds")]
    pub(crate) phase: Option<Duration>,
    #[serde(serialize_with = "maybe_seconds")]
    pub(crate) hook: Option<Duration>,
}

/// A place before which the operation waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Breakpoint {
    pub(crate) phase: Phase,
    /// `None`: the first wave of the phase.
    pub(crate) wave: Option<Wave>,
}

impl Breakpoint {
    /// Reads `PHASE[/WAVE]`.
    ///
    /// # Errors
    /// A sentence that names the text and shows the right form.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no place to pause before; write PHASE[/WAVE], for example PostSync or Sync/2");
        let (phase, wave) = match text.split_once('/') {
            Some((phase, wave)) => (phase, Some(Wave(wave.parse().map_err(|_| wrong())?))),
            None => (text, None),
        };
        let phase = Phase::OF_SYNC.into_iter().find(|known| known.as_str() == phase).ok_or_else(wrong)?;
        Ok(Self { phase, wave })
    }
}

/// Argo CD's defaults (spec R1001), but no retry unless it was asked for (spec R1002).
impl Default for Retry {
    fn default() -> Self {
        Self { limit: Some(0), duration: Duration::from_secs(5), factor: 2, max_duration: Duration::from_secs(180) }
    }
}

impl Retry {
    /// Returns whether an attempt may follow after so many retries (spec R1003).
    pub(crate) fn allows(&self, retries: u32) -> bool {
        self.limit.is_none_or(|limit| retries < limit)
    }

    /// Returns how long to wait before the next retry, after so many (spec R1006, R1522: announced and kept).
    pub(crate) fn pause(&self, retries: u32) -> Duration {
        let longest = if self.max_duration.is_zero() { Duration::MAX } else { self.max_duration };
        let factor = self.factor.checked_pow(retries).unwrap_or(u32::MAX);
        self.duration.checked_mul(factor).map_or(longest, |pause| pause.min(longest))
    }
}

/// What was not asked for is not printed.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn maybe_seconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t142_r1006_pauses_between_attempts_grow_up_to_a_limit() {
        let pauses = |retry: &Retry, count: u32| (0..count).map(|retries| retry.pause(retries).as_secs()).collect::<Vec<_>>();
        assert_eq!(pauses(&Retry::default(), 7), [5, 10, 20, 40, 80, 160, 180]);
        let custom = Retry { duration: Duration::from_secs(2), factor: 3, max_duration: Duration::from_secs(60), ..Retry::default() };
        assert_eq!(pauses(&custom, 5), [2, 6, 18, 54, 60]);
        let endless = Retry { max_duration: Duration::ZERO, ..custom };
        assert_eq!(endless.pause(5).as_secs(), 486);
        assert!(endless.pause(1_000) > endless.pause(5), "no pause overflows");
    }

    #[test]
    fn r1001_a_limit_of_zero_is_no_retry_and_none_is_no_limit() {
        assert!(!Retry::default().allows(0));
        let retry = |limit| Retry { limit, ..Retry::default() };
        assert!(retry(Some(2)).allows(1) && !retry(Some(2)).allows(2) && retry(None).allows(1_000_000));
    }
}
