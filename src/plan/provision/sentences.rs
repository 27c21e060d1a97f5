//! The sentences about what is not there in time: what is needed, where it is named, why it is missing, and the ways out.

use super::{Circumstances, Finding, Lack, group, is_namespace};
use crate::model::annotation::SYNC_OPTIONS;
use crate::model::{DeletePolicy, Phase, ResourceKey, Task};
use crate::plan::references::Strength;
use crate::plan::{Kind, NotRun, NotRunCode, Plan, Selector};

/// Says what is wrong and how to repair it. The object that lacks something is named before the sentence. The field stands at the end: it is
/// long, and in a narrow terminal the end of a line is not seen.
pub(super) fn sentence(finding: &Finding<'_>, plan: &Plan, circumstances: &Circumstances<'_>) -> String {
    format!("{} ({})", point(finding, plan, circumstances), finding.reference.path)
}

fn point(finding: &Finding<'_>, plan: &Plan, circumstances: &Circumstances<'_>) -> String {
    let Finding { needy, reference, lack } = finding;
    let to = &reference.to;
    let needs = format!("needs {to}");
    match lack {
        Lack::Nowhere => {
            let place = if is_namespace(to) { "the cluster".to_owned() } else { format!("namespace {}", to.namespace) };
            // A deletion makes nothing but hooks, so what else the manifests have does not matter.
            let whole = match plan.kind {
                Kind::Sync => format!("neither in the manifests nor in {place}"),
                Kind::Delete => format!("not in {place}"),
            };
            format!("{needs}, which is {whole}, so {}: {}", consequence(finding), create(finding, plan))
        }
        Lack::Late(maker) if maker.id.phase == needy.id.phase => format!(
            "{needs}, which comes only in wave {}, and that wave waits for this one: give {} a wave of at most {}, or {} one of at least {}",
            maker.wave,
            to.short(),
            needy.wave,
            needy.id.key.short(),
            maker.wave,
        ),
        Lack::Late(maker) => {
            let when =
                if maker.id.phase == Phase::SyncFail { "if the sync fails".to_owned() } else { format!("in phase {}", maker.id.phase) };
            format!("{needs}, which comes only {when}, so {}: {}", consequence(finding), ways(needy, maker))
        }
        Lack::Unreached(maker) => format!(
            "{needs}, which is not there if the sync fails before {} wave {}: give {} a copy of it under another name as a SyncFail hook{}",
            maker.id.phase,
            maker.wave,
            needy.id.key.short(),
            or_optional(to),
        ),
        Lack::LeftOut(left) => {
            let fix = let_it_come(left, to);
            format!("{needs}, which is not there and does not come with this sync ({}), so {}: {fix}", left.reason, consequence(finding))
        }
        Lack::Pruned => {
            format!("{needs}, which this sync prunes: put it back into the manifests, or annotate it with {SYNC_OPTIONS}: Prune=false")
        }
        Lack::Keyless => format!(
            "needs the key `{}` of {to}, which its manifest does not have, so it cannot start: add the key{}",
            reference.key.as_deref().unwrap_or_default(),
            or_optional(to),
        ),
        Lack::Removed(policy) => removed(&needs, finding, *policy, circumstances),
        Lack::Deleted => format!(
            "{needs}, which is deleted with the app before the hook runs: annotate it with {SYNC_OPTIONS}: Delete=false, or give {} a copy of it under another name as a PostDelete hook",
            needy.id.key.short(),
        ),
    }
}

fn removed(needs: &str, finding: &Finding<'_>, policy: DeletePolicy, circumstances: &Circumstances<'_>) -> String {
    let short = finding.reference.to.short();
    let when = match policy {
        DeletePolicy::HookFailed => "before the SyncFail hooks run",
        DeletePolicy::HookSucceeded if circumstances.hooks_go_early => "as soon as it has succeeded",
        DeletePolicy::HookSucceeded | DeletePolicy::BeforeHookCreation => "after the sync, so that pods which start later lack it",
    };
    format!("{needs}, a hook that {policy} deletes {when}: take {policy} away from {short}, or let it be an ordinary object")
}

fn consequence(finding: &Finding<'_>) -> &'static str {
    match finding.reference.strength {
        Strength::ForImages => "its images may not be pulled",
        Strength::Required | Strength::Optional if is_namespace(&finding.reference.to) => "it cannot be created",
        Strength::Required | Strength::Optional => "it cannot start",
    }
}

/// The ways out of a need across phases (users.md P-66): a hook of the same phase, a later hook, a copy.
fn ways(needy: &Task, maker: &Task) -> String {
    let (needed, needing) = (maker.id.key.short(), needy.id.key.short());
    let ((phase, wave), (later, after)) = (group(needy), group(maker));
    if phase == Phase::PreDelete {
        return format!("make {needed} a PreDelete hook too, or {needing} a {later} hook");
    }
    let mut ways = if needy.is_hook() {
        vec![format!("make {needed} a {phase} hook with a wave of at most {wave}")]
    } else {
        vec![format!("let {needed} be an ordinary object with a wave of at most {wave}")]
    };
    if needy.is_hook() && later != Phase::SyncFail {
        ways.push(format!("make {needing} a {later} hook with a wave of at least {after}"));
    }
    // One hook object cannot be a hook and the app's own; a copy of a hook's object helps nobody.
    if needy.is_hook() && !maker.is_hook() {
        ways.push(format!("give {needing} a copy of {needed} under another name as a {phase} hook"));
    }
    ways.join(", or ")
}

/// Only Secrets and ConfigMaps can be optional, but not as a password for images.
fn create(finding: &Finding<'_>, plan: &Plan) -> String {
    let to = &finding.reference.to;
    if is_namespace(to) {
        let is_destination = to.name == plan.namespace;
        let option = if is_destination && plan.kind == Kind::Sync { ", or sync with CreateNamespace=true" } else { "" };
        return format!("create it, or add it to the manifests{option}");
    }
    match finding.reference.strength {
        Strength::Required => format!("create it{}", or_optional(to)),
        Strength::ForImages | Strength::Optional => "create it, or take the reference away".to_owned(),
    }
}

fn or_optional(to: &ResourceKey) -> &'static str {
    if ["Secret", "ConfigMap"].contains(&&*to.kind) { ", or mark the reference optional" } else { ", or correct the name" }
}

fn let_it_come(left: &NotRun, to: &ResourceKey) -> String {
    match left.code {
        NotRunCode::Selection if left.task.is_hook() => "create it first, or sync everything".to_owned(),
        NotRunCode::Selection => format!("add --resource {}, or create it first", Selector::exactly(to)),
        NotRunCode::Skip => "create it first, or do not skip it".to_owned(),
        NotRunCode::UnknownHook => "correct its hook annotation, or create it first".to_owned(),
        NotRunCode::DeleteHook => "give the object that needs it a copy of its own".to_owned(),
        NotRunCode::Blocked | NotRunCode::Terminated | NotRunCode::NotNeeded => "create it first".to_owned(),
    }
}
