//! Ties the printed permissions to the code: every story is played with somebody who writes down each request. Whatever was sent must be in a
//! rule, and whatever a rule calls needed must have been sent by a sync that succeeded, or be explained here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::play::{self, Scene};
use super::{folder, table};
use crate::cluster::locked;
use crate::engine::rights::Rights;
use crate::model::{Grant, OperationPhase};
use crate::plan::rbac::{Access, Need};
use crate::sim::SimCluster;

/// One sync: what it wanted to be allowed, what it sent, and whether it succeeded.
pub(super) struct Heard {
    rights: Arc<Rights>,
    sent: BTreeSet<Grant>,
    succeeded: bool,
    /// Whether another sync of the story came before.
    is_later: bool,
}

/// Writes down requests while a sync runs.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Tape>>);

#[derive(Default)]
struct Tape {
    /// The sync that runs.
    running: Option<Arc<Rights>>,
    sent: BTreeSet<Grant>,
    heard: Vec<Heard>,
}

impl Recorder {
    /// Returns the same cluster, with every request written down.
    pub(super) fn on(&self, cluster: SimCluster) -> SimCluster {
        let recorder = self.clone();
        cluster.overheard(move |request, status| recorder.note(grant(request), status))
    }

    fn note(&self, grant: Option<Grant>, status: u16) {
        let mut tape = locked(&self.0);
        if let Some(grant) = grant.filter(|_| tape.running.is_some()) {
            // A patch that creates is authorised as a creation, too.
            if &*grant.verb == "patch" && status == 201 {
                tape.sent.insert(Grant { verb: "create".into(), ..grant.of_any_name() });
            }
            tape.sent.insert(grant);
        }
    }

    pub(super) fn begin(&self, rights: Arc<Rights>) {
        locked(&self.0).running = Some(rights);
    }

    pub(super) fn end(&self, phase: OperationPhase) {
        let mut tape = locked(&self.0);
        let sent = std::mem::take(&mut tape.sent);
        if let Some(rights) = tape.running.take() {
            let is_later = !tape.heard.is_empty();
            tape.heard.push(Heard { rights, sent, succeeded: phase == OperationPhase::Succeeded, is_later });
        }
    }

    fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut locked(&self.0).heard)
    }
}

/// Reads a request as the authorizer does; `None` for discovery, which is open to everybody.
fn grant([method, path, query]: [&str; 3]) -> Option<Grant> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (group, rest) = match &parts[..] {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        ["namespaces", name] => (*name, rest),
        _ => ("", rest),
    };
    let [resource, rest @ ..] = rest else { return None };
    let name = rest.first().copied().unwrap_or_default();
    let verb = match (method, name.is_empty()) {
        ("GET", false) => "get",
        ("GET", true) if query.contains("watch=true") => "watch",
        ("GET", true) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", _) => "delete",
        other => panic!("{other:?}"),
    };
    let [verb, group, resource, subresource, namespace, name] =
        [verb, group, resource, rest.get(1).copied().unwrap_or_default(), namespace, name].map(Into::into);
    Some(Grant { verb, group, resource, subresource, namespace, name })
}

/// Returns whether a permission allows what was sent. One of the `ClusterRole` holds everywhere.
fn covers(access: &Access, sent: &Grant) -> bool {
    let own = &access.grant;
    let is_place = access.home.is_empty() || own.namespace == sent.namespace;
    let is_name = own.name.is_empty() || own.name == sent.name;
    is_place && is_name && (&own.verb, &own.group, own.path()) == (&sent.verb, &sent.group, sent.path())
}

/// Returns whether a needed permission was used; or rather another one that makes it unnecessary.
fn is_used(access: &Access, heard: &Heard) -> bool {
    let (own, sent) = (&access.grant, &heard.sent);
    let is_used_as = |verb: &str| {
        sent.iter().any(|sent| {
            let is_place = own.namespace.is_empty() || own.namespace == sent.namespace || sent.namespace.is_empty();
            let is_name = own.name.is_empty() || sent.name.is_empty() || own.name == sent.name;
            is_place && is_name && (verb, &own.group, own.path()) == (&*sent.verb, &sent.group, sent.path())
        })
    };
    match access.reason.does {
        // What may be listed and watched is not read by its name.
        "sees the state of" => is_used_as("get") || is_used_as("list"),
        // The embedded cluster asks nobody whether he may hand on rights.
        "hands on rights in" | "hands on a role in" => true,
        // What is as an earlier sync of this session left it is not sent again.
        "applies" if heard.is_later => true,
        // A hook for the failure of a sync that did not fail.
        _ if access.reason.subject.contains("(SyncFail ") => true,
        _ => is_used_as(&own.verb),
    }
}

fn problems(story: &str, heard: &Heard) -> Vec<String> {
    let accesses = &heard.rights.wants.accesses;
    let uncovered = heard.sent.iter().filter(|sent| !accesses.iter().any(|access| covers(access, sent)));
    let mut problems: Vec<String> = uncovered.map(|sent| format!("{story}: sent, but in no rule: {sent}")).collect();
    let needed = accesses.iter().filter(|access| access.need == Need::Needed && heard.succeeded);
    let unused = needed.filter(|access| !is_used(access, heard));
    problems.extend(unused.map(|access| format!("{story}: needed, but never sent: {} ({})", access.grant, access.reason)));
    problems
}

#[test]
fn whatever_a_sync_of_a_story_sends_is_in_a_rule_and_whatever_is_needed_was_sent() {
    let (mut syncs, mut found) = (0, Vec::new());
    for story in table::NAMES {
        let recorder = Recorder::default();
        if let Scene::Skipped(_) = play::play_heard(&folder(story), Some(recorder.clone())) {
            continue;
        }
        for heard in recorder.heard() {
            assert!(heard.rights.lacking.as_ref().is_ok(), "{story}");
            syncs += 1;
            found.extend(problems(story, &heard));
        }
    }
    assert!(syncs > 20, "only {syncs} syncs were heard");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The test above must be able to fail.
#[test]
fn a_request_without_a_rule_and_a_rule_without_a_request_are_found() {
    let recorder = Recorder::default();
    play::play_heard(&folder("web-shop"), Some(recorder.clone()));
    let mut heard = recorder.heard().remove(0);
    assert!(problems("x", &heard).is_empty());
    heard.sent.insert(grant(["DELETE", "/api/v1/namespaces/shop/secrets/s", ""]).unwrap());
    heard.sent.retain(|sent| &*sent.verb != "patch");
    let found = problems("x", &heard).join("\n");
    assert!(found.contains("in no rule: delete secrets s in shop") && found.contains("never sent: patch "), "{found}");
}
