//! The binary against a real Kubernetes: every claim about clusters is checked here, with kubectl as the witness.
//! Run with `SYNCWAVE_E2E_KUBECONFIG=FILE cargo test --test e2e`, for example through `tests/cluster/exec`; without the
//! variable each test says that it was skipped. Every test makes its own namespaces and removes them.
//!
//! Tests are named after the rules of the engine's specification. Where a rule was derived and not seen before, the
//! comment beside its number says what the cluster showed.
#![allow(clippy::unwrap_used, reason = "a test may panic; the functions that tests share are no tests in clippy's eyes")]
#![allow(clippy::disallowed_methods, reason = "a real cluster has real time")]

mod support;

mod access;
mod apply;
mod disturbances;
mod findings;
mod health;
mod kinds;
mod logs;
mod outage;
mod phases;
mod policies;
mod prune;
mod screen;
mod selective;
mod stories;
mod terminate;
mod waves;
