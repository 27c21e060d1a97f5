//! The order of tasks: phase, wave, kind, name (spec R502, R503), Namespaces and definitions before what needs them (R509–R513), and the
//! swapped waves of prune tasks (R505, R506). Compares only; which tasks there are is decided in `build`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::{Definition, Phase, Task, Wave};

/// Kinds in the order in which they are applied within a wave; every other kind comes after them (spec R503).
const KINDS: [&str; 35] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Returns the place of a kind within a wave.
pub(crate) fn kind_rank(kind: &str) -> usize {
    KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len())
}

/// Compares two tasks; the objects of an app are deleted from the highest wave down (spec R1109). What the reference leaves to chance (equal names) is settled by namespace, group and role, so that a plan is always the same.
pub(crate) fn compare(one: &Task, other: &Task) -> Ordering {
    let waves = one.wave.cmp(&other.wave);
    let waves = if one.id.phase == Phase::Delete { waves.reverse() } else { waves };
    one.id.phase.cmp(&other.id.phase).then(waves).then_with(|| within_group(one, other))
}

/// Compares two tasks of one (phase, wave) group.
pub(crate) fn within_group(one: &Task, other: &Task) -> Ordering {
    kind_rank(&one.id.key.kind)
        .cmp(&kind_rank(&other.id.key.kind))
        .then_with(|| one.id.key.name.cmp(&other.id.key.name))
        .then_with(|| one.id.key.kind.cmp(&other.id.key.kind))
        .then_with(|| {
            (&one.id.key.namespace, &one.id.key.group, one.id.role).cmp(&(&other.id.key.namespace, &other.id.key.group, other.id.role))
        })
}

/// Sorts tasks and pulls Namespaces, then definitions, forward before the first task that needs them (spec R510).
pub(crate) fn arrange(tasks: &mut Vec<Task>, destination: &str) {
    tasks.sort_by(compare);
    pull_forward(tasks, namespace_provided, |task| Some(namespace_needed(task, destination)).filter(|name| !name.is_empty()));
    pull_forward(tasks, definition_provided, |task| Some(format!("{}/{}", task.id.key.group, task.id.key.kind)));
}

fn namespace_provided(task: &Task) -> Option<String> {
    (task.id.key.group.is_empty() && *task.id.key.kind == *"Namespace").then(|| task.id.key.name.to_string())
}

/// Cluster-scoped targets count as needing the destination namespace, because they are given it (spec R312, R511).
fn namespace_needed(task: &Task, destination: &str) -> String {
    let own = &task.id.key.namespace;
    if own.is_empty() { destination.to_owned() } else { own.to_string() }
}

/// Returns `group/Kind` of what a CustomResourceDefinition defines.
pub(crate) fn definition_provided(task: &Task) -> Option<String> {
    let definition = Definition::of(task.target.as_ref()?)?;
    Some(format!("{}/{}", definition.group, definition.kind))
}

/// One scan from the front (spec R509).
fn pull_forward(tasks: &mut Vec<Task>, provides: impl Fn(&Task) -> Option<String>, needs: impl Fn(&Task) -> Option<String>) {
    let mut first_need: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..tasks.len() {
        if tasks[at].is_prune() {
            continue;
        }
        match provides(&tasks[at]) {
            Some(provided) => {
                if let Some(&before) = first_need.get(&provided) {
                    move_before(tasks, at, before);
                    first_need.values_mut().filter(|place| **place >= before).for_each(|place| *place += 1);
                }
            }
            None => {
                if let Some(need) = needs(&tasks[at]) {
                    first_need.entry(need).or_insert(at);
                }
            }
        }
    }
}

fn move_before(tasks: &mut Vec<Task>, from: usize, to: usize) {
    let mut task = tasks.remove(from);
    let (phase, wave) = (tasks[to].id.phase, tasks[to].wave);
    task.pulled_forward = (phase, wave) != (task.id.phase, task.wave);
    task.id.phase = phase;
    task.wave = wave;
    tasks.insert(to, task);
}

/// Returns the waves at which objects are pruned: swapped symmetrically among those that occur, and after everything else for
/// `PruneLast=true` (spec R505, R506). `own` are the waves of the objects still to be pruned, each with whether it goes last;
/// `highest` is the highest wave of the tasks of phase Sync that apply something.
pub(crate) fn prune_waves(own: &[(Wave, bool)], highest: Wave) -> Vec<Wave> {
    let mut distinct: Vec<Wave> = own.iter().map(|(wave, _)| *wave).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let swapped = |wave: Wave| distinct.binary_search(&wave).map_or(wave, |at| distinct[distinct.len() - 1 - at]);
    let top = own.iter().map(|(wave, _)| swapped(*wave)).max().unwrap_or_default().max(highest).max(Wave(0));
    own.iter().map(|(wave, last)| if *last { Wave(top.0.saturating_add(1)) } else { swapped(*wave) }).collect()
}

/// Returns the highest wave of phase Sync among tasks that are not prunes.
pub(crate) fn highest_sync_wave(tasks: &[Task]) -> Wave {
    tasks.iter().filter(|task| task.id.phase == Phase::Sync && !task.is_prune()).map(|task| task.wave).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r503_kinds_have_their_rank_and_others_come_last() {
        assert_eq!(kind_rank("Namespace"), 0);
        assert!(kind_rank("ConfigMap") < kind_rank("Service") && kind_rank("Service") < kind_rank("Deployment"));
        assert!(kind_rank("APIService") < kind_rank("Widget"));
    }

    #[test]
    fn r505_waves_of_prunes_are_swapped_symmetrically() {
        let waves = |own: &[i64]| {
            prune_waves(&own.iter().map(|wave| (Wave(*wave), false)).collect::<Vec<_>>(), Wave(0))
                .iter()
                .map(|wave| wave.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(waves(&[1, 3, 4]), [4, 3, 1]);
        assert_eq!(waves(&[0, 1, 2, 2]), [2, 1, 0, 0]);
        assert_eq!(waves(&[]), [0; 0]);
    }

    #[test]
    fn r506_prune_last_goes_after_the_highest_wave_of_sync() {
        let own = [(Wave(0), false), (Wave(2), true)];
        assert_eq!(prune_waves(&own, Wave(5)), [Wave(2), Wave(6)]);
        assert_eq!(prune_waves(&[(Wave(-3), true)], Wave(-5)), [Wave(1)]);
    }
}
