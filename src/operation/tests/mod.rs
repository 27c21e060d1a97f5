//! Tests of the core against a small pretended cluster: tables for rules, properties for everything.

mod properties;
mod rules;
mod world;
