//! Sync windows before an operation begins (spec R1406): which of them concern the app at its destination, and whether they let a sync
//! begin now.

use jiff::Timestamp;

use super::session::Place;
use crate::model::{Attempt, Destination};
use crate::operation::Request;

/// Leaves the windows that concern the app where it is synced to.
pub(super) fn narrowed(request: Request, place: &Place) -> Request {
    let destination = Destination { app: &place.app, namespace: &place.namespace, cluster: &place.context, server: &place.cluster };
    Request { windows: request.windows.concerning(&destination), ..request }
}

/// Returns why no sync may begin now, if a window blocks it.
pub(super) fn refusal(request: &Request, now: Timestamp) -> Option<String> {
    let why = request.windows.why_blocked(Attempt { is_manual: true, started_at: None }, now)?;
    Some(format!("cannot sync: blocked by sync window: {why}"))
}
