//! Sync windows before an operation begins (spec R1406): which of them concern the app at its destination, and whether they let a sync
//! begin now. Knows the time only as it is told.

use jiff::Timestamp;

use super::prepare::Prepared;
use crate::model::{Attempt, Destination};
use crate::operation::Request;

/// Leaves the windows that concern the app where it is synced to, and takes the rules that were found with the plan.
pub(super) fn narrowed(request: Request, prepared: &Prepared) -> Request {
    let place = &prepared.place;
    let destination = Destination { app: &place.app, namespace: &place.namespace, cluster: &place.context, server: &place.cluster };
    Request { windows: request.windows.concerning(&destination), ignore: prepared.ignore.clone(), ..request }
}

/// Returns why no sync may begin now, if a window blocks it.
pub(super) fn refusal(request: &Request, now: Timestamp) -> Option<String> {
    let why = request.windows.why_blocked(Attempt { is_manual: true, started_at: None }, now)?;
    Some(format!("cannot sync: blocked by sync window: {why}"))
}
