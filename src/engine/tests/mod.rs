//! Sessions and operations as a whole, against the embedded cluster.

mod scenarios;
mod stage;
mod verbs;
mod windows;
