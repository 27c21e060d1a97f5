//! An in-process Kubernetes cluster for demos and tests: an API server on the real wire format, controllers and
//! pods that follow a story. Nothing but `run` and tests uses it; it knows nothing of the engine and the screens.

mod actors;
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
pub(crate) use rng::Rng;
pub(crate) use service::Api;
pub(crate) use status::ApiError;
pub(crate) use store::{Change, Compacted, Store};

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
