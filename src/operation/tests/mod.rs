//! Tests of the core against a small pretended cluster: tables for rules, properties for everything.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks the events that it is about")]

mod again;
mod attempts;
mod course;
mod deletion;
mod known_bugs;
mod limits;
mod matrix_hooks;
mod matrix_plain;
mod matrix_policies;
mod matrix_whole;
mod pauses;
mod properties;
mod requests;
mod rules;
mod screens;
pub(crate) mod spec;
pub(crate) mod table;
mod trace;
mod windows;
mod world;
