//! An in-process Kubernetes cluster for demos and tests: an API server on the real wire format, controllers and
//! pods that follow a story. Nothing but `run` and tests uses it; it knows nothing of the engine and the screens.

mod actors;
mod admission;
mod api;
mod crd;
mod defaults;
mod discovery;
mod fault;
mod fields;
mod immutable;
mod kubelet;
mod logbook;
mod managed;
mod meta;
mod patch;
mod path;
mod prepare;
mod pulse;
mod registry;
mod remove;
mod rng;
mod schema;
mod selector;
mod service;
mod ssa;
mod status;
mod store;
pub(crate) mod story;
mod validate;
mod write;

pub(crate) use fault::{Faults, Match, Outcome, Rule};
pub(crate) use logbook::Logbook;
pub(crate) use registry::Gr;
pub(crate) use remove::{DeleteOptions, Propagation};
pub(crate) use service::Api;
#[cfg(test)]
pub(crate) use store::Change;
pub(crate) use store::Store;

use std::sync::Arc;

use tokio::task::JoinSet;

use self::actors::Actors;
use self::story::Story;
use crate::clock::Clock;

/// A running cluster. Its controllers and pods end when it is dropped.
pub(crate) struct SimCluster {
    #[cfg(test)]
    store: Store,
    #[cfg(test)]
    logs: Logbook,
    #[cfg(test)]
    faults: Faults,
    client: kube::Client,
    /// Owns the loop of the controllers and the kubelet.
    #[expect(dead_code, reason = "dropping it ends the loop")]
    actors: JoinSet<()>,
}

impl SimCluster {
    /// Starts a cluster that plays a story: when this returns, its first objects exist and have settled. Must be called
    /// inside a tokio runtime.
    pub(crate) fn start(story: &Story, clock: Clock, seed: u64) -> Self {
        tracing::info!(story = story.metadata.name, seed, "the embedded cluster starts");
        let (store, logs, faults) = (Store::new(clock, seed), Logbook::default(), Faults::default());
        let playing = Actors::prepare(store.clone(), logs.clone(), Arc::new(story.clone()), clock, seed);
        for rule in story.fault_rules(clock.now()) {
            faults.add(rule);
        }
        let mut actors = JoinSet::new();
        actors.spawn(playing.run());
        // No retry layer: whoever calls sees every refusal and deals with it visibly.
        let client = kube::Client::new(Api::new(store.clone(), logs.clone(), faults.clone()), "default");
        Self {
            #[cfg(test)]
            store,
            #[cfg(test)]
            logs,
            #[cfg(test)]
            faults,
            client,
            actors,
        }
    }

    /// Returns a client of the cluster's API.
    pub(crate) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Returns the same cluster, which tells of every request: its method, its path, its query, and the status of the answer.
    #[cfg(test)]
    pub(crate) fn overheard(mut self, hear: impl Fn([&str; 3], u16) + Clone + Send + Sync + 'static) -> Self {
        let client = self.client.clone();
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let (hear, client) = (hear.clone(), client.clone());
            async move {
                let (method, uri) = (request.method().clone(), request.uri().clone());
                let answer = client.send(request).await?;
                hear([method.as_str(), uri.path(), uri.query().unwrap_or_default()], answer.status().as_u16());
                Ok::<_, kube::Error>(answer)
            }
        });
        self.client = kube::Client::new(service, "default");
        self
    }

    /// Returns the objects behind the API.
    #[cfg(test)]
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns every line that containers ever printed.
    #[cfg(test)]
    pub(crate) fn printed(&self) -> Vec<logbook::Printed> {
        self.logs.printed()
    }

    /// Returns the rules about what goes wrong; more can be added while the cluster runs.
    #[cfg(test)]
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// Encodes bytes as the `data` of Secrets has them.
fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Decodes base64, with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests;
