//! Asks the cluster for what a plan's objects need and the plan does not provide in time, and warns of what is nowhere. Asks for nothing
//! else, once each, beside the search for what the app owns and hardly longer than that: a sync must not wait for an advice.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::oneshot;

use super::answers::{self, Heard};
use super::candidates::{AT_ONCE, few};
use crate::cluster::apply::Spot;
use crate::cluster::{CallError, Cluster, Resource};
use crate::model::ResourceKey;
use crate::operation::Request;
use crate::plan::references::PLURALS;
use crate::plan::{Circumstances, Findings, Plan};

/// How long the answers may take, all together.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long they are waited for when there is nothing else to wait for.
const GRACE: Duration = Duration::from_millis(200);

/// What the cluster said.
#[derive(Debug, Default)]
pub(super) struct Told {
    absent: BTreeSet<ResourceKey>,
    /// Objects that could not be asked for.
    unclear: BTreeSet<ResourceKey>,
    /// Why not, of the first one.
    error: Option<String>,
}

/// Asks beside something else for what a draft of the plan lacks. The draft knows nothing yet of what is live; what it does not lack the plan
/// does not lack either, because what is pruned needs no answer.
pub(super) async fn beside<T>(cluster: &Cluster, draft: &Plan, request: &Request, other: impl Future<Output = T>) -> (T, Told) {
    let findings = Findings::of(draft, circumstances(request));
    let unsure = findings.unsure();
    let mut told = Told { unclear: unsure.iter().map(|key| (*key).clone()).collect(), ..Told::default() };
    let (searched, done) = oneshot::channel();
    let other = async {
        let found = other.await;
        // Whoever asks may have all answers already.
        searched.send(()).ok();
        found
    };
    let found = futures::join!(other, ask(cluster, unsure, &mut told, done)).0;
    (found, told)
}

/// Adds to the warnings of a plan what its objects need and will not have; returns a sentence about what cannot be told.
pub(super) fn warn(plan: &mut Plan, request: &Request, mut told: Told) -> Option<String> {
    let findings = Findings::of(plan, circumstances(request));
    let warnings = findings.warnings(&told.absent);
    let unsure = findings.unsure();
    told.unclear.retain(|key| unsure.contains(key));
    plan.warnings.extend(warnings);
    told.note()
}

fn circumstances(request: &Request) -> Circumstances<'_> {
    Circumstances { prunes: request.prune, hooks_go_early: request.delete_succeeded_hooks_early, options: &request.options }
}

/// Asks until everything is answered, or until there is nothing else to wait for.
async fn ask(cluster: &Cluster, keys: BTreeSet<&ResourceKey>, told: &mut Told, done: oneshot::Receiver<()>) {
    let looks: Vec<_> = keys.into_iter().map(|key| async move { (key, is_live(cluster, key).await) }).collect();
    let looks = futures::stream::iter(looks).buffer_unordered(AT_ONCE);
    let clock = cluster.clock();
    let end = async {
        tokio::select! {
            biased;
            () = clock.sleep(PATIENCE) => {}
            _ = done => clock.sleep(GRACE).await,
        }
    };
    if answers::until(end, looks, |(key, live)| told.take(key, live)).await == Heard::Some {
        told.error.get_or_insert_with(|| "no answer in time".to_owned());
    }
}

async fn is_live(cluster: &Cluster, key: &ResourceKey) -> Result<bool, CallError> {
    // A kind without a plural is none that can be needed; then nothing is said.
    let Some((kind, plural)) = PLURALS.iter().find(|(kind, _)| *kind == &*key.kind) else { return Ok(true) };
    let resource = Resource { is_namespaced: !key.namespace.is_empty(), ..Resource::core(kind, plural) };
    cluster.has(Spot { resource: &resource, namespace: &key.namespace, name: &key.name }).await
}

impl Told {
    fn take(&mut self, key: &ResourceKey, live: Result<bool, CallError>) {
        match live {
            Ok(is_live) => {
                self.unclear.remove(key);
                if !is_live {
                    self.absent.insert(key.clone());
                }
            }
            Err(error) => _ = self.error.get_or_insert_with(|| error.to_string()),
        }
    }

    /// Whoever works in one namespace may seldom read Namespaces, and would be told of it each time.
    fn note(&self) -> Option<String> {
        let named: BTreeSet<ResourceKey> = self.unclear.iter().filter(|key| *key.kind != *"Namespace").cloned().collect();
        let (named, error) = (few(&named)?, self.error.as_deref()?);
        Some(format!("it cannot be told whether what the plan needs beside its own objects is there ({named}): {error}"))
    }
}
