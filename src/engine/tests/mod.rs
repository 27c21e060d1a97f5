//! Sessions and operations as a whole, against the embedded cluster.

mod deletion;
mod diff;
mod health;
mod keys;
mod killed;
mod known_bugs;
mod owners;
mod pauses;
mod recordings;
mod references;
mod respect;
mod scenarios;
mod stage;
mod table;
mod unchanged;
mod verbs;
mod windows;
