//! What is said of objects that a sync does not send, because the last one made them what they are and nobody has changed them since:
//! nothing changes, whatever the server would make of them now. What it would make of them is a note, one for all that share it.

use std::collections::BTreeMap;

use super::{Look, compared};
use crate::engine::session::Action;
use crate::model::{Object, TaskId};
use crate::plan::diff::IgnoreFields;

/// How many fields, objects and sentences are named.
const NAMED: usize = 3;

/// Returns what is to be said instead of what the server answers.
pub(super) fn spared(look: Look, live: &Object, rules: &dyn IgnoreFields) -> Look {
    let would = would(&look);
    let difference = Some(compared(Some(live.wire()), Some(live.wire()), rules));
    Look { action: Action::Unchanged, difference, approximate: None, would, ..look }
}

/// Returns what the server would do now, if that is not what it did for the last sync.
fn would(look: &Look) -> Option<String> {
    match &look.action {
        Action::Refused(why) => Some(format!("the API server would now refuse what it has taken: {why}")),
        Action::Unknown(why) => Some(format!("what the API server would make of what it has taken is not known: {why}")),
        // Guessed here: that is no news of the server.
        _ if look.approximate.is_some() => None,
        Action::Create | Action::Configure | Action::Unchanged | Action::Replace | Action::Recreate(_) | Action::Prune | Action::Run => {
            let paths: Vec<String> = look.difference.as_ref()?.fields.iter().map(|field| field.path.to_string()).collect();
            (!paths.is_empty()).then(|| format!("the API server or a webhook would now change {}", few(&paths)))
        }
    }
}

/// The objects, by what the server would do.
#[derive(Debug, Default)]
pub(super) struct Would(BTreeMap<String, Vec<String>>);

impl Would {
    pub(super) fn add(&mut self, id: &TaskId, would: Option<String>) {
        if let Some(would) = would {
            self.0.entry(would).or_default().push(id.key.to_string());
        }
    }

    /// Returns the notes; after a few of them only how many objects there are more.
    pub(super) fn notes(mut self) -> Vec<String> {
        self.0.values_mut().for_each(|names| names.sort());
        let rest: usize = self.0.values().skip(NAMED).map(Vec::len).sum();
        let unless = "nothing is sent that is as the last sync made it, unless `skip_unchanged = false` is set in [sync]";
        let mut notes: Vec<String> = self.0.iter().take(NAMED).map(|(would, names)| format!("{}: {would}; {unless}", few(names))).collect();
        if rest > 0 {
            notes.push(format!("the same, in other words, is to be said of {rest} more objects that are not sent"));
        }
        notes
    }
}

fn few(names: &[String]) -> String {
    let named = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED { format!("{named} and {} more", names.len() - NAMED) } else { named }
}
