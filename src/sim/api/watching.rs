//! Watches: a cursor in the ring of changes, turned into ADDED, MODIFIED and DELETED as a selector sees them, with
//! bookmarks and an end. A slow reader loses nothing: it is told that its revision is gone, or gets every event.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::pulse::Receiver;
use super::super::registry::{Gr, Resource};
use super::super::selector::Selector;
use super::super::status::{ApiError, Cause};
use super::super::store::{Change, Compacted, State, Store};
use super::Call;
use super::answer::{Answer, Form, cut};
use super::list::{selector, shaped};

/// How long a watch lasts that names no time.
const LENGTH: i64 = 45 * 60;
/// How often a quiet watch tells where it is.
const BOOKMARK: Duration = Duration::from_secs(60);

struct Watch {
    store: Store,
    revision: Receiver,
    resource: Arc<Resource>,
    gr: Gr,
    namespace: Option<String>,
    selector: Selector,
    form: Form,
    /// The changes up to here were sent.
    sent: u64,
    ready: VecDeque<Bytes>,
    bookmarks: bool,
    next_bookmark: Timestamp,
    end: Timestamp,
    is_over: bool,
    /// How many events may still be sent.
    left: Option<usize>,
}

pub(super) fn watch(call: Call) -> Result<Answer, ApiError> {
    let selector = selector(&call)?;
    check_options(&call)?;
    let from = match call.query.get("resourceVersion") {
        None | Some("0") => None,
        Some(text) => Some(text.parse::<u64>().map_err(|_| bad_revision(text))?),
    };
    let now = call.store.clock().now();
    let seconds = call.query.get("timeoutSeconds").and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0).unwrap_or(LENGTH);
    let initial = call.query.is_on("sendInitialEvents");
    let mut watch = Watch {
        revision: call.store.revision(),
        gr: call.resource.storage(),
        namespace: call.target.namespace.clone(),
        selector,
        form: call.accept.form,
        sent: from.unwrap_or(0),
        ready: VecDeque::new(),
        bookmarks: call.query.is_on("allowWatchBookmarks"),
        next_bookmark: later(now, BOOKMARK.as_secs().cast_signed()),
        end: later(now, seconds),
        is_over: false,
        left: call.drop_after,
        resource: call.resource,
        store: call.store,
    };
    if initial || from.is_none() {
        watch.send_present(initial);
    }
    let lines = stream::unfold(watch, |mut watch| async move { watch.next().await.map(|line| (line, watch)) });
    Ok(Answer::stream("application/json", cut(lines, call.cut_after)))
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

fn bad_revision(text: &str) -> ApiError {
    ApiError::internal(
        "InternalError",
        format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"),
    )
}

fn check_options(call: &Call) -> Result<(), ApiError> {
    let rule = call.query.get("resourceVersionMatch");
    let cause = match (call.query.get("sendInitialEvents"), rule) {
        (None, None) | (Some(_), Some("NotOlderThan")) => return Ok(()),
        (None, Some(_)) => {
            Cause::forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
        }
        (Some(_), None) => {
            let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            Cause::forbidden("resourceVersionMatch", detail)
        }
        (Some(_), Some(other)) => Cause::not_supported("resourceVersionMatch", &other.into(), &["NotOlderThan"]),
    };
    Err(ApiError::invalid_options("ListOptions", &[cause]))
}

impl Watch {
    /// Returns the next line; none at the end. Waits where there is nothing to say.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                if self.left == Some(0) {
                    return None;
                }
                self.left = self.left.map(|left| left - 1);
                return Some(line);
            }
            if self.is_over {
                return None;
            }
            self.revision.update();
            self.collect();
            if self.ready.is_empty() && !self.is_over {
                self.wait().await;
            }
        }
    }

    async fn wait(&mut self) {
        let clock = *self.store.clock();
        let bookmark = if self.bookmarks { self.next_bookmark } else { self.end };
        tokio::select! {
            biased;
            changed = self.revision.changed() => self.is_over = changed.is_err(),
            () = clock.sleep_until(bookmark.min(self.end)) => self.tick(clock.now()),
        }
    }

    fn tick(&mut self, now: Timestamp) {
        if now >= self.end {
            self.is_over = true;
        } else if self.bookmarks && now >= self.next_bookmark {
            self.next_bookmark = later(now, BOOKMARK.as_secs().cast_signed());
            let line = self.bookmark(&json!({"resourceVersion": self.sent.to_string()}));
            self.ready.push_back(line);
        }
    }

    /// Sends what exists now as if it had just been added.
    fn send_present(&mut self, marks_end: bool) {
        let store = self.store.clone();
        let state = store.lock();
        for (_, object) in state.range(&self.gr, self.namespace.as_deref()) {
            if self.selector.matches(object) {
                self.ready.push_back(event("ADDED", &shaped(&self.resource, object, self.form)));
            }
        }
        self.sent = state.rev();
        drop(state);
        if marks_end && self.bookmarks {
            let annotations = json!({"k8s.io/initial-events-end": "true"});
            let line = self.bookmark(&json!({"resourceVersion": self.sent.to_string(), "annotations": annotations}));
            self.ready.push_back(line);
        }
    }

    fn bookmark(&self, metadata: &Value) -> Bytes {
        let (kind, version) = match self.form {
            Form::Whole | Form::Discovery => (self.resource.kind.as_str(), self.resource.api_version()),
            Form::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
        };
        event("BOOKMARK", &json!({"kind": kind, "apiVersion": version, "metadata": metadata}))
    }

    /// Takes over what changed since the last time.
    fn collect(&mut self) {
        let store = self.store.clone();
        let state = store.lock();
        if let Err(Compacted { .. }) = self.read(&state) {
            let text = format!("too old resource version: {} ({})", self.sent, state.floor());
            self.ready.push_back(event("ERROR", &ApiError::expired(text).to_status()));
            self.is_over = true;
        }
    }

    fn read(&mut self, state: &State) -> Result<(), Compacted> {
        let mut lines = Vec::new();
        for change in state.changes_since(self.sent)? {
            if change.gr == self.gr && self.namespace.as_deref().is_none_or(|wanted| *change.namespace == *wanted) {
                lines.extend(self.line(change));
            }
        }
        self.ready.extend(lines);
        self.sent = self.sent.max(state.rev());
        Ok(())
    }

    /// What a change looks like through the selector.
    fn line(&self, change: &Change) -> Option<Bytes> {
        let before = change.before.as_ref().filter(|object| self.selector.matches(object));
        let after = change.after.as_ref().filter(|object| self.selector.matches(object));
        let (kind, object) = match (before, after) {
            (None, None) => return None,
            (None, Some(after)) => ("ADDED", shaped(&self.resource, after, self.form)),
            (Some(_), Some(after)) => ("MODIFIED", shaped(&self.resource, after, self.form)),
            // The last state that was visible, under the revision of its end.
            (Some(before), None) => {
                let mut last = shaped(&self.resource, before, self.form);
                last["metadata"]["resourceVersion"] = change.rev.to_string().into();
                ("DELETED", last)
            }
        };
        Some(event(kind, &object))
    }
}

fn event(kind: &str, object: &Value) -> Bytes {
    let mut line = format!("{{\"type\":\"{kind}\",\"object\":{object}}}");
    line.push('\n');
    line.into()
}
