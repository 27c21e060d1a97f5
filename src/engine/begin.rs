//! The last looks before an operation begins: whether it may, whether another process is at it already, and what has to be written down
//! before its first write. Reads the cluster at most; writes only to the state folder.

use super::owners;
use super::prepare::Prepared;
use super::session::Opening;
use super::unfinished::{Beginning, Unfinished};
use super::windows;
use crate::operation::Request;

/// An operation that may begin.
pub(super) struct Ready {
    pub(super) prepared: Prepared,
    pub(super) unfinished: Unfinished,
    pub(super) request: Request,
}

/// Lets an operation begin.
///
/// # Errors
/// The sentence that refuses it.
pub(super) async fn begin(opening: &Opening, mut prepared: Prepared, request: Request) -> Result<Box<Ready>, String> {
    let now = opening.clock.now();
    let request = windows::narrowed(request, &prepared);
    prepared.notes.extend(request.windows.concerns());
    if let Some(reason) = windows::refusal(&request, now) {
        return Err(reason);
    }
    if let Some(refusal) = whose(opening, &mut prepared, &request).await {
        return Err(refusal);
    }
    let beginning = Beginning { operation: &prepared.id, at: prepared.started_at, plan: &prepared.plan, is_dry: request.dry_run };
    let unfinished = Unfinished::begin(prepared.ledger.home(), beginning, &mut prepared.notes)?;
    // A dry run writes nothing, here neither.
    if !request.dry_run {
        prepared.notes.extend(prepared.ledger.make_way().await);
        for written in [prepared.ledger.open().await, unfinished.write().await] {
            prepared.notes.extend(written.err());
        }
    }
    Ok(Box::new(Ready { prepared, unfinished, request }))
}

/// Returns why the objects of Argo CD's Applications must not be written (decision 7); what was taken over becomes a note.
async fn whose(opening: &Opening, prepared: &mut Prepared, request: &Request) -> Option<String> {
    let owners = owners::look(&prepared.connected.cluster, &prepared.plan).await;
    prepared.notes.extend(owners.notes.iter().cloned());
    if request.dry_run {
        prepared.notes.extend(owners.refusal());
        return None;
    }
    if !request.take_over {
        return owners.refusal();
    }
    let taken = owners.taken_over()?;
    if opening.unattended {
        return Some(format!("{taken}; this has to be confirmed: add --yes, or start the sync from the screens"));
    }
    prepared.notes.push(taken);
    None
}

/// Returns what a preview says of owners.
pub(super) async fn preview_notes(prepared: &Prepared, request: &Request) -> Vec<String> {
    let owners = owners::look(&prepared.connected.cluster, &prepared.plan).await;
    let mut notes = owners.notes.clone();
    notes.extend(if request.take_over { owners.taken_over() } else { owners.refusal() });
    notes
}
