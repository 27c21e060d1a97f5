//! What the person asked for.

use std::time::Duration;

use serde::Serialize;

use crate::model::ResourceKey;
use crate::plan::Selector;

/// Options in force for one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) prune: bool,
    /// `None`: a full sync. Otherwise a selective one (spec topic 8).
    pub(crate) selection: Option<Vec<Selector>>,
    /// Pause after each group that is not the last (decision 3).
    #[serde(serialize_with = "seconds")]
    pub(crate) wave_delay: Duration,
    /// Prunes that were confirmed in advance (`--approve`).
    pub(crate) approved: Vec<ResourceKey>,
    /// Who asked.
    pub(crate) by: String,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
