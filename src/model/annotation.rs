//! The only place where names of annotations, labels and finalizers are spelled.

/// Argo CD's hook types (spec R101).
pub(crate) const HOOK: &str = "argocd.argoproj.io/hook";
/// Argo CD's delete policies (spec R201).
pub(crate) const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// The misspelling of one of the translated manuals; it has no effect (decision 8).
pub(crate) const HOOK_DELETE_POLICY_MISSPELT: &str = "argocd.argoproj.io/hooks-delete-policy";
/// Wave of an object (spec R501).
pub(crate) const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Sync options of an object (spec R703).
pub(crate) const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Options of an object for comparisons (spec R718).
pub(crate) const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// Argo CD's wish not to compare an app anew when this object changes.
pub(crate) const IGNORE_RESOURCE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";
/// Pods that are judged as if they were restarted always (spec R413).
pub(crate) const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";
/// Helm's hook types (spec R113).
pub(crate) const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's weight, a wave for objects without one (spec R116).
pub(crate) const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// Helm's delete policies (spec R117).
pub(crate) const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// Helm's wish that an object outlives its release; counts when an app is deleted (spec R706).
pub(crate) const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// Argo CD's hook finalizer; understood on leftovers (decision 5).
pub(crate) const ARGO_HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";

/// Argo CD's tracking id (spec R1202); read to leave its objects alone (decision 7).
pub(crate) const ARGO_TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// The label by which Argo CD may track, with the Application's name (spec R1203); others use it too.
pub(crate) const APPLICATION_LABEL: &str = "app.kubernetes.io/instance";

/// Where kubectl keeps what it applied last.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Counted by the Deployment controller, in the Deployment itself.
pub(crate) const DEPLOYMENT_REVISION: &str = "deployment.kubernetes.io/revision";

/// Our tracking id, an annotation in Argo CD's format `app:group/Kind:namespace/name` (decision 5).
pub(crate) const TRACKING_ID: &str = "syncwave.dev/tracking-id";
/// Our hook finalizer (decision 5).
pub(crate) const HOOK_FINALIZER: &str = "syncwave.dev/hook-finalizer";
/// Our label with the operation's id, on hooks only (decision 5).
pub(crate) const OPERATION_LABEL: &str = "syncwave.dev/operation";
/// Our field manager (decision 5).
pub(crate) const FIELD_MANAGER: &str = "syncwave";

/// Returns whether a finalizer is a hook finalizer, ours or Argo CD's (spec R215, R216).
pub(crate) fn is_hook_finalizer(name: &str) -> bool {
    name == HOOK_FINALIZER || name == ARGO_HOOK_FINALIZER
}

/// Splits a list value: at commas, trimmed, without empty items and repeats (spec R103).
pub(crate) fn list(value: &str) -> Vec<&str> {
    let mut items = Vec::new();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r103_a_list_is_trimmed_and_keeps_the_first_of_repeated_items() {
        assert_eq!(list(" PreSync , ,PreSync,PostSync "), ["PreSync", "PostSync"]);
        assert_eq!(list(""), [""; 0]);
    }
}
