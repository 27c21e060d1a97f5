//! What a story says besides pods: the cluster, how its manifests are synced, what the operator presses, and what
//! others do to the cluster meanwhile. Plain data.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::time;

/// Name of a story.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) name: String,
}

/// Where the virtual clock starts, and how fast it runs by default.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ClockSettings {
    pub(crate) start: Timestamp,
    pub(crate) speed: f64,
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self { start: Timestamp::constant(1_772_355_600, 0), speed: 1.0 }
    }
}

/// The cluster that a story plays on.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ClusterSettings {
    pub(crate) version: Option<String>,
    pub(crate) nodes: usize,
    /// The first one is the default class.
    pub(crate) storage_classes: Vec<String>,
    pub(crate) load_balancer: LoadBalancer,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self { version: None, nodes: 3, storage_classes: vec!["standard".into()], load_balancer: LoadBalancer::default() }
    }
}

/// Who gives addresses to Services of type LoadBalancer and to Ingresses.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct LoadBalancer {
    #[serde(deserialize_with = "time::required")]
    pub(crate) delay: Duration,
    /// IPv4 addresses as `203.0.113.0/28`.
    pub(crate) pool: String,
    /// Nobody ever does.
    pub(crate) never: bool,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self { delay: Duration::from_secs(2), pool: "203.0.113.0/24".into(), never: false }
    }
}

/// How the story's manifests are synced.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct SyncSettings {
    pub(crate) app: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) prune: bool,
    /// Sync options as `Name=value`.
    pub(crate) options: Vec<String>,
    /// A selective sync of these, as `--resource` writes them.
    pub(crate) resources: Vec<String>,
}

/// Something the operator presses: `sync`, `terminate`, `select Job/migrate`, …
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Input {
    #[serde(deserialize_with = "time::required")]
    pub(crate) at: Duration,
    pub(crate) action: String,
}

/// Something that happens to the cluster at a time, by somebody else's hand.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawStep")]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) what: Event,
}

/// What happens in a step.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A merge patch of an object; `status` in it goes to the status.
    Patch(Target, Value),
    Delete(Target),
    Create(Value),
    /// A fault of the API begins; the name of one of the story's `faults`.
    Fault(String),
}

/// The object of a step.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    /// Of a patch: the merge patch.
    #[serde(default)]
    json: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawStep {
    #[serde(deserialize_with = "time::required")]
    at: Duration,
    patch: Option<Target>,
    delete: Option<Target>,
    create: Option<Value>,
    fault: Option<String>,
}

impl TryFrom<RawStep> for Step {
    type Error = String;

    fn try_from(raw: RawStep) -> Result<Self, String> {
        let what = match (raw.patch, raw.delete, raw.create, raw.fault) {
            (Some(mut target), None, None, None) => {
                let patch = target.json.take().ok_or("a `patch` needs `json`, the merge patch")?;
                Event::Patch(target, patch)
            }
            (None, Some(target), None, None) if target.json.is_none() => Event::Delete(target),
            (None, Some(_), None, None) => return Err("a `delete` has no `json`".into()),
            (None, None, Some(object), None) => Event::Create(object),
            (None, None, None, Some(name)) => Event::Fault(name),
            _ => return Err("a step has exactly one of `patch`, `delete`, `create`, `fault`".into()),
        };
        Ok(Self { at: raw.at, what })
    }
}
