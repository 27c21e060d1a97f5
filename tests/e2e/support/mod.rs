//! What the tests share: a namespace to work in, the binary and what it printed, kubectl, and manifests that read like prose.
//! Knows nothing about any single rule.

mod contract;
mod differences;
mod history;
mod manifests;
mod outcome;
mod relay;
mod running;
mod screen;
mod space;
mod trace;
mod webhook;

pub(crate) use differences::{assert_same, changes, field, object};
pub(crate) use history::Change;
pub(crate) use manifests::{Object, ObjectExt, config_map, deployment, job, pod, secret, story};
pub(crate) use outcome::Outcome;
pub(crate) use relay::Relay;
pub(crate) use running::{Running, signal};
pub(crate) use screen::Screen;
pub(crate) use space::{Space, alone, skipped};
pub(crate) use webhook::{Verdict, Webhook};

use std::time::{Duration, Instant};

/// Asks until there is an answer; panics with `what` when there is none within the limit.
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A limit for what should take no time at all. Where ten processes share a core, a pod takes ten times as long to start.
pub(crate) const SOON: Duration = Duration::from_secs(60);
