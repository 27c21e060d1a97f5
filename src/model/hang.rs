//! Why a pod does not run: what the scheduler or the kubelet says of it. The words are the same wherever a person reads them.

use std::fmt;
use std::sync::Arc;

use super::live::{Container, ContainerState, PodView};

/// What keeps a pod from running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hang {
    pub(crate) namespace: Arc<str>,
    pub(crate) pod: Arc<str>,
    /// Empty if it is the pod as a whole.
    pub(crate) container: Arc<str>,
    /// The cluster's word, for example `ErrImagePull` or `Unschedulable`.
    pub(crate) reason: String,
    /// The cluster's sentence; it may be empty.
    pub(crate) message: String,
}

impl Hang {
    /// Returns what is wrong, without the name of the pod.
    pub(crate) fn clause(&self) -> String {
        let container = if self.container.is_empty() { String::new() } else { format!("{}: ", self.container) };
        let message = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        format!("{container}{}{message}", self.reason)
    }
}

impl fmt::Display for Hang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pod {}/{}: {}", self.namespace, self.pod, self.clause())
    }
}

impl PodView {
    /// Returns what keeps the pod from running; `None` if nothing is known to.
    pub(crate) fn hang(&self) -> Option<Hang> {
        if self.deleting || ["Succeeded", "Failed"].contains(&&*self.phase) {
            return None;
        }
        let of = |container: Arc<str>, reason: &str, message: &str| Hang {
            namespace: self.namespace.clone(),
            pod: self.name.clone(),
            container,
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        if let Some(Unscheduled { reason, message }) = &self.unscheduled {
            return Some(of("".into(), reason, message));
        }
        self.containers.iter().find_map(|container| {
            let (reason, message) = why_waiting(container)?;
            Some(of(container.name.clone(), reason, message))
        })
    }
}

/// Why no node takes a pod.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Unscheduled {
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// A container that is only being started has nothing to say.
fn why_waiting(container: &Container) -> Option<(&str, &str)> {
    match &container.state {
        ContainerState::Waiting { reason, .. } if ["", "ContainerCreating", "PodInitializing"].contains(&reason.as_str()) => None,
        ContainerState::Waiting { reason, message } => Some((reason, message)),
        ContainerState::Running { .. } | ContainerState::Terminated { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceKey;

    fn pod(phase: &str, waiting: &[(&str, &str)]) -> PodView {
        let container = |(reason, message): &(&str, &str)| Container {
            name: "main".into(),
            init: false,
            state: ContainerState::Waiting { reason: (*reason).to_owned(), message: (*message).to_owned() },
            ready: false,
            restarts: 0,
        };
        PodView {
            namespace: "shop".into(),
            name: "migrate-x".into(),
            uid: "u".into(),
            owner: ResourceKey::new("batch", "Job", "shop", "migrate"),
            phase: phase.to_owned(),
            created: None,
            deleting: false,
            unscheduled: None,
            containers: waiting.iter().map(container).collect(),
        }
    }

    fn said(pod: &PodView) -> Option<String> {
        pod.hang().map(|hang| hang.to_string())
    }

    #[test]
    fn a_pod_that_cannot_start_says_why_and_one_that_is_starting_says_nothing() {
        let quiet = [("ContainerCreating", ""), ("PodInitializing", ""), ("", "")];
        assert_eq!(said(&pod("Pending", &quiet)), None);
        let pulled = pod("Pending", &[("PodInitializing", ""), ("ErrImagePull", "no such image")]);
        assert_eq!(said(&pulled).as_deref(), Some("pod shop/migrate-x: main: ErrImagePull: no such image"));
        assert_eq!(said(&pod("Running", &[("CrashLoopBackOff", "")])).as_deref(), Some("pod shop/migrate-x: main: CrashLoopBackOff"));
        assert_eq!(said(&PodView { deleting: true, ..pulled.clone() }), None);
        assert_eq!(said(&PodView { phase: "Failed".to_owned(), ..pulled.clone() }), None);
        let unscheduled = Some(Unscheduled { reason: "Unschedulable".to_owned(), message: "0/1 nodes are available".to_owned() });
        let nowhere = PodView { unscheduled, ..pulled };
        assert_eq!(said(&nowhere).as_deref(), Some("pod shop/migrate-x: Unschedulable: 0/1 nodes are available"));
    }
}
