//! What annotations say of an object, read once: hook types, delete policies, wave, sync options (spec topics 1, 2 and 7).
//! Whatever has no effect although its author surely meant something becomes a [`Concern`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::annotation::{self, list};
use super::compare_option;
use super::object::Object;
use super::phase::{Phase, Wave};

/// When a hook object is deleted (spec R201).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum DeletePolicy {
    BeforeHookCreation,
    HookSucceeded,
    HookFailed,
}

impl DeletePolicy {
    /// Returns the word as annotations and the JSON contract spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::BeforeHookCreation => "BeforeHookCreation",
            Self::HookSucceeded => "HookSucceeded",
            Self::HookFailed => "HookFailed",
        }
    }

    fn from_argo(value: &str) -> Option<Self> {
        [Self::BeforeHookCreation, Self::HookSucceeded, Self::HookFailed].into_iter().find(|policy| policy.as_str() == value)
    }

    fn from_helm(value: &str) -> Option<Self> {
        match value {
            "before-hook-creation" => Some(Self::BeforeHookCreation),
            "hook-succeeded" => Some(Self::HookSucceeded),
            "hook-failed" => Some(Self::HookFailed),
            _ => None,
        }
    }
}

impl fmt::Display for DeletePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an object is to a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// An ordinary resource.
    Resource,
    /// `Skip` alone: never applied, never pruned (spec R108).
    Skip,
    /// A hook. `phases` are those of a sync, in order, without repeats; empty means that a sync never runs it (spec R112).
    /// `deletion` are `PreDelete` and `PostDelete` (spec R126).
    Hook { phases: Vec<Phase>, deletion: Vec<Phase> },
}

/// Everything that annotations say of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Traits {
    pub(crate) part: Part,
    /// Effective delete policies (spec R203); meaningless on ordinary resources (spec R202).
    pub(crate) policies: Vec<DeletePolicy>,
    pub(crate) wave: Wave,
    /// Items of the sync-options annotation (spec R703).
    pub(crate) options: Vec<String>,
    /// Whether `helm.sh/resource-policy: keep` lets it outlive the app (spec R706).
    pub(crate) keep: bool,
    /// Whether it is no difference of the app when no manifest asks for it (spec R1214).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) extraneous: bool,
}

/// Something in an annotation that has no effect, or another one than its author seems to expect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Concern {
    pub(crate) annotation: String,
    pub(crate) message: String,
}

impl Traits {
    /// Reads the annotations of an object.
    pub(crate) fn of(object: &Object) -> Self {
        Self {
            part: part_of(object),
            policies: policies_of(object),
            wave: wave_of(object),
            options: object
                .annotation(annotation::SYNC_OPTIONS)
                .map(|value| list(value).into_iter().map(str::to_owned).collect())
                .unwrap_or_default(),
            keep: object.annotation(annotation::HELM_RESOURCE_POLICY).is_some_and(|value| list(value).contains(&"keep")),
            extraneous: compare_option::is_extraneous(object),
        }
    }

    /// Returns whether the object is a hook that runs in this phase.
    pub(crate) fn runs_in(&self, phase: Phase) -> bool {
        match &self.part {
            Part::Hook { phases, deletion } => phases.contains(&phase) || deletion.contains(&phase),
            Part::Resource | Part::Skip => false,
        }
    }

    /// Returns whether the object is a hook of any kind, one that never runs included.
    pub(crate) fn is_hook(&self) -> bool {
        matches!(self.part, Part::Hook { .. })
    }

    /// Returns whether the option string, for example `PruneLast=true`, is set (spec R702).
    pub(crate) fn has_option(&self, option: &str) -> bool {
        self.options.iter().any(|item| item == option)
    }

    /// Returns the value of the first option item with this name (spec R104).
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find_map(|item| item.strip_prefix(name)?.strip_prefix('='))
    }
}

fn part_of(object: &Object) -> Part {
    let argo = object.annotation(annotation::HOOK);
    let helm = object.annotation(annotation::HELM_HOOK);
    let argo_items = list(argo.unwrap_or_default());
    let helm_items = list(helm.unwrap_or_default());
    let is_hook = argo.is_some() || helm.is_some_and(|value| value != "crd-install");
    let known: Vec<&str> = argo_items.iter().copied().filter(|item| *item == "Skip" || argo_phase(item).is_some()).collect();
    if known == ["Skip"] {
        return Part::Skip;
    }
    if !is_hook {
        return Part::Resource;
    }
    let mut phases: Vec<Phase> = if known.is_empty() {
        helm_items.iter().filter_map(|item| helm_phase(item)).collect()
    } else {
        known.iter().filter_map(|item| argo_phase(item)).collect()
    };
    phases.sort_unstable();
    phases.dedup();
    let mut deletion = Vec::new();
    if argo_items.contains(&"PreDelete") || helm_items.contains(&"pre-delete") {
        deletion.push(Phase::PreDelete);
    }
    if argo_items.contains(&"PostDelete") || helm_items.contains(&"post-delete") {
        deletion.push(Phase::PostDelete);
    }
    Part::Hook { phases, deletion }
}

fn argo_phase(item: &str) -> Option<Phase> {
    Phase::OF_SYNC.into_iter().find(|phase| phase.as_str() == item)
}

fn helm_phase(item: &str) -> Option<Phase> {
    match item {
        "pre-install" | "pre-upgrade" => Some(Phase::PreSync),
        "post-install" | "post-upgrade" => Some(Phase::PostSync),
        _ => None,
    }
}

fn policies_of(object: &Object) -> Vec<DeletePolicy> {
    let argo = object.annotation(annotation::HOOK_DELETE_POLICY).unwrap_or_default();
    let helm = object.annotation(annotation::HELM_HOOK_DELETE_POLICY).unwrap_or_default();
    let mut policies: Vec<DeletePolicy> = list(argo).into_iter().filter_map(DeletePolicy::from_argo).collect();
    policies.extend(list(helm).into_iter().filter_map(DeletePolicy::from_helm));
    policies.sort_unstable();
    policies.dedup();
    if policies.is_empty() { vec![DeletePolicy::BeforeHookCreation] } else { policies }
}

fn wave_of(object: &Object) -> Wave {
    let number = |name| object.annotation(name).and_then(|value| value.parse::<i64>().ok());
    Wave(number(annotation::SYNC_WAVE).or_else(|| number(annotation::HELM_HOOK_WEIGHT)).unwrap_or_default())
}

/// Returns what in the annotations of an object has no effect, or a surprising one (users.md B1–B5, decision 8).
pub(crate) fn concerns(object: &Object) -> Vec<Concern> {
    let mut found = Vec::new();
    let mut add = |annotation: &str, message: String| found.push(Concern { annotation: annotation.to_owned(), message });
    if let Some(value) = object.annotation(annotation::HOOK) {
        concerns_of_types(value, &mut add);
    }
    if let Some(value) = object.annotation(annotation::HOOK_DELETE_POLICY) {
        concerns_of_policies(value, &mut add);
    }
    if object.annotation(annotation::HOOK_DELETE_POLICY_MISSPELT).is_some() {
        add(
            annotation::HOOK_DELETE_POLICY_MISSPELT,
            format!("has no effect; the annotation is spelled {}", annotation::HOOK_DELETE_POLICY),
        );
    }
    if let Some(value) = object.annotation(annotation::SYNC_WAVE)
        && value.parse::<i64>().is_err()
    {
        add(annotation::SYNC_WAVE, format!("`{value}` is not a whole number and has no effect; the wave is {}", wave_of(object)));
    }
    compare_option::concerns(object, &mut add);
    found
}

fn concerns_of_types(value: &str, add: &mut impl FnMut(&str, String)) {
    let items = list(value);
    let known = |item: &str| argo_phase(item).is_some() || ["Skip", "PreDelete", "PostDelete"].contains(&item);
    for item in items.iter().filter(|item| !known(item)) {
        let near = ["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete", "Skip"]
            .into_iter()
            .find(|word| word.eq_ignore_ascii_case(item));
        let advice = near.map_or_else(
            || "known types: PreSync, Sync, PostSync, SyncFail, PreDelete, PostDelete, Skip".to_owned(),
            |word| format!("did you mean {word}?"),
        );
        add(annotation::HOOK, format!("`{item}` is not a hook type and has no effect; {advice}"));
    }
    if items.is_empty() {
        add(annotation::HOOK, "is empty: a sync never applies this object".to_owned());
    }
    if items.contains(&"Skip") && items.iter().any(|item| argo_phase(item).is_some()) {
        add(annotation::HOOK, "Skip has no effect beside other hook types: the object is applied".to_owned());
    }
}

fn concerns_of_policies(value: &str, add: &mut impl FnMut(&str, String)) {
    for item in list(value).into_iter().filter(|item| DeletePolicy::from_argo(item).is_none()) {
        let advice = match item {
            "OnSuccess" => "the name today is HookSucceeded",
            "OnFailure" => "the name today is HookFailed",
            _ => "known policies: BeforeHookCreation, HookSucceeded, HookFailed",
        };
        add(annotation::HOOK_DELETE_POLICY, format!("`{item}` is not a delete policy and has no effect; {advice}"));
    }
}

#[cfg(test)]
mod tests;
