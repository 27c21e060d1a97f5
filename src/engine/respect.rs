//! What is sent instead of a target with `RespectIgnoreDifferences=true` (spec R722): the live values of ignored fields are read and kept.
//! Reads only. Without the option, without rules for the object, or without a live object the target is sent as it is.

use crate::cluster::apply::{Before, Spot};
use crate::cluster::{CallError, Cluster, Reporter, Snapshot};
use crate::model::{Object, Role, Task};
use crate::operation::Request;
use crate::plan::ignore::{RulesOfObject, respected};

/// What is to be sent, and what there is before it.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) target: Object,
    pub(super) before: Before,
    /// Rules that could not be applied, in whole sentences.
    pub(super) problems: Vec<String>,
}

/// Returns the rules whose fields a sync of a task keeps; none for hooks.
pub(super) fn rules(request: &Request, task: &Task) -> RulesOfObject {
    if task.id.role == Role::Apply && request.options.has("RespectIgnoreDifferences=true") {
        request.ignore.about(&task.id.key)
    } else {
        RulesOfObject::default()
    }
}

/// Reads the live object and keeps what rules select.
///
/// # Errors
/// Why it could not be read.
pub(super) async fn wanted(
    cluster: &Cluster,
    spot: Spot<'_>,
    (target, rules): (&Object, &RulesOfObject),
    reporter: &Reporter,
) -> Result<Wanted, CallError> {
    let Some(live) = cluster.get(spot, reporter).await? else {
        return Ok(Wanted { target: target.clone(), before: Before::Absent, problems: Vec::new() });
    };
    let respected = respected(target, live.wire(), rules);
    Ok(Wanted { target: respected.object, before: Before::Present(Snapshot::of(live.wire())), problems: respected.problems })
}
