//! syncwave
#![allow(dead_code, unused_imports, reason = "modules are being joined")]
pub(crate) mod cli;
pub(crate) mod clock;
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
pub(crate) mod sim;
pub(crate) mod telemetry;

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
