//! syncwave runs a Kubernetes sync with the hooks, phases and waves of Argo CD, and shows it while it runs.
//!
//! # The map
//!
//! Facts go one way: somebody produces [`operation::Record`]s, everybody else folds them with `Operation::apply`.
//!
//! ```text
//!    engine (local) ──►  Record, LogLine  ──┬─► tui     (draws)
//!          ▲                                └─► report  (prints)
//!          └───────────  Ask  ◄─────────────────┘
//! ```
//!
//! | folder | owns |
//! |---|---|
//! | [`model`] | the words of the field, parsed once; pure |
//! | [`plan`] | manifests become ordered tasks; pure |
//! | [`operation`] | the state machine: `apply` folds a fact, `next` says what to do now; pure |
//! | [`health`] | how an object does: built-in rules, and Lua rules in a sandbox; pure |
//! | [`manifest`] | files, folders, kustomizations and charts become objects |
//! | [`cluster`] | every request to Kubernetes: connecting, discovery, apply, delete, watches, logs |
//! | [`engine`] | the loop around the core, and sessions |
//! | [`sim`] | the embedded cluster: an API server, controllers and pods in process, on a clock of its own |
//! | [`report`] | the program without a terminal: plain text and JSON lines |
//! | [`config`], [`cli`], [`demo`], [`failure`], [`telemetry`], [`clock`], [`scratch`] | configuration, command line, shipped stories, exit codes, log, time, temporary folders |
//! | [`run`] | puts everything together |
//!
//! Which folder may import which is a test: `tests/it/layers.rs`.
//!
//! # The words
//!
//! * **app**: a set of manifests and its destination. **target**: what a manifest asks for. **live**: what is in the cluster.
//! * **operation**: one run of a sync or of a deletion, from its start to its verdict. **task**: what an operation does with one object.
//! * **phase**: PreSync, Sync, PostSync, SyncFail; of a deletion PreDelete, Delete, PostDelete. **wave**: order inside a phase; lower ones finish before higher ones start.
//! * **hook**: an object that is run in a phase instead of being part of the app. **policy**: when a hook is deleted.
//! * **prune**: the deletion of what the app owns and no manifest asks for any more.
//! * **health**: how a live object does. **result**: how a task ended. **blocker**: the task that the operation waits for.
//! * **fact**: something that happened, as a [`operation::Record`]. **effect**: something that the core wants to be done.
//! * **impact**: what a task does beyond its own object, in words; people read it as the effects of a plan.
#![allow(rustdoc::private_intra_doc_links, reason = "the map is read by those who build the documentation with private items")]

#[doc(hidden)]
pub mod bench;
pub(crate) mod cli;
pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod engine;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod manifest;
pub(crate) mod model;
pub(crate) mod operation;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod run;
#[cfg(test)]
mod scenarios;
pub(crate) mod scratch;
pub(crate) mod sim;
pub(crate) mod telemetry;
pub(crate) mod tui;

use std::process::ExitCode;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    run::run()
}
