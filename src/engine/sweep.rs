//! Ends hooks that a dead operation has left, as a terminate of it would have ended them (spec R903–R905): the finalizer goes, and what
//! still runs is deleted. Touches only objects that carry the label of that very operation, and gives up instead of waiting for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;

use super::unfinished::{Begun, LeftHook, said};
use crate::cluster::apply::Spot;
use crate::cluster::{Cluster, Reporter};
use crate::model::{Gvk, Propagation, ResourceKey};
use crate::operation::is_deleted_by_terminate;

const AT_ONCE: usize = 8;
/// How long one hook may take. What is not done by then is tried again at the next sync.
const LIMIT: Duration = Duration::from_secs(10);

/// How to sweep.
#[derive(Clone)]
pub(super) struct Sweep {
    pub(super) cluster: Cluster,
    pub(super) propagation: Propagation,
    /// Only look, and say what is there.
    pub(super) is_dry: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Swept {
    pub(super) sentences: Vec<String>,
    /// What is still there.
    pub(super) left: Vec<Begun>,
}

/// What became of one hook.
enum Fate {
    /// There is nothing of that operation, or nothing to do.
    Nothing,
    Ended,
    Left(String),
}

impl Sweep {
    /// Ends the hooks of dead operations, one operation after the other.
    pub(super) async fn run(self, dead: Vec<Begun>) -> Swept {
        let mut swept = Swept::default();
        for begun in dead {
            let fates = self.end_all(&begun).await;
            swept.sentences.extend(self.sentence(&begun, &fates));
            let problems = fates.iter().filter_map(|(key, fate)| match fate {
                Fate::Left(error) => Some(format!("{key}, a hook of the operation {}, could not be cleaned up: {error}", begun.operation)),
                Fate::Nothing | Fate::Ended => None,
            });
            swept.sentences.extend(problems);
            let is_left = |hook: &LeftHook| self.is_dry || matches!(fates.get(&hook.key), Some(Fate::Left(_)));
            let hooks: Vec<LeftHook> = begun.hooks.iter().filter(|hook| is_left(hook)).cloned().collect();
            if !hooks.is_empty() {
                swept.left.push(Begun { hooks, ..begun });
            }
        }
        swept
    }

    fn sentence(&self, begun: &Begun, fates: &BTreeMap<ResourceKey, Fate>) -> Option<String> {
        let ended: Vec<String> = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Ended)).map(|(key, _)| key.to_string()).collect();
        let what = match (ended.len(), self.is_dry) {
            (0, _) if begun.ended => return None,
            (0, _) => "nothing is left of its hooks".to_owned(),
            (count, true) => format!("{count} of its hooks would be cleaned up: {}", ended.join(", ")),
            (1, false) => format!("1 of its hooks was cleaned up: {}", ended.join(", ")),
            (count, false) => format!("{count} of its hooks were cleaned up: {}", ended.join(", ")),
        };
        let state = if begun.ended { "has left hooks behind" } else { "was not ended" };
        Some(format!("the operation {} from {} {state}; {what}", begun.operation, said(begun.started_at)))
    }

    async fn end_all(&self, begun: &Begun) -> BTreeMap<ResourceKey, Fate> {
        let mut known = BTreeSet::new();
        let hooks: Vec<&LeftHook> = begun.hooks.iter().filter(|hook| known.insert(hook.key.clone())).collect();
        let ends: Vec<_> = hooks.into_iter().map(|hook| self.end_in_time(&begun.operation, hook)).collect();
        futures::stream::iter(ends).buffer_unordered(AT_ONCE).collect().await
    }

    async fn end_in_time(&self, operation: &str, hook: &LeftHook) -> (ResourceKey, Fate) {
        let clock = self.cluster.clock();
        let fate = tokio::select! {
            biased;
            fate = self.end(operation, hook) => fate.unwrap_or_else(Fate::Left),
            () = clock.sleep(LIMIT) => Fate::Left(format!("the API server did not do it within {} s", LIMIT.as_secs())),
        };
        (hook.key.clone(), fate)
    }

    async fn end(&self, operation: &str, hook: &LeftHook) -> Result<Fate, String> {
        let (cluster, reporter, key) = (&self.cluster, Reporter::default(), &hook.key);
        let gvk = Gvk { group: key.group.clone(), version: hook.version.as_str().into(), kind: key.kind.clone() };
        // What is served in no version has no objects.
        let Some(resource) = cluster.served(&gvk).await.map_err(|error| error.to_string())? else { return Ok(Fate::Nothing) };
        let spot = Spot { resource: &resource, namespace: &key.namespace, name: &key.name };
        let Some(object) = cluster.get(spot, &reporter).await.map_err(|error| error.to_string())? else { return Ok(Fate::Nothing) };
        let live = cluster.judge().live(&object).await;
        if live.operation.as_deref() != Some(operation) {
            return Ok(Fate::Nothing);
        }
        let is_locked = live.has_hook_finalizer();
        let goes = live.deletion.is_none() && is_deleted_by_terminate(&live.assessment, &hook.policies);
        if !is_locked && !goes {
            return Ok(Fate::Nothing);
        }
        if self.is_dry {
            return Ok(Fate::Ended);
        }
        if is_locked {
            cluster.remove_hook_finalizers(spot, &live.uid, None, &reporter).await?;
        }
        if goes {
            cluster.delete(spot, &live.uid, self.propagation, &reporter).await.map_err(|error| format!("failed to delete: {error}"))?;
        }
        Ok(Fate::Ended)
    }
}
