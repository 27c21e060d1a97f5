//! Looks again at what an app owns while it is being deleted (spec R1109d), and puts what is new under watch before it is told of. Knows what
//! the deletion was prepared with, and what earlier looks could not see; decides nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;

use super::belongings::Belongings;
use super::candidates::{AT_ONCE, Search};
use super::inventory::Owned;
use crate::cluster::watch::{Wanted, Watches};
use crate::cluster::{Cluster, Resource, locked};
use crate::model::{Gvk, Kinds, ResourceKey};
use crate::plan::{Candidate, Manifest};

/// Everything that a look needs.
#[derive(Debug)]
pub(super) struct Finder {
    pub(super) app: String,
    pub(super) namespace: Arc<str>,
    pub(super) manifests: Vec<Manifest>,
    pub(super) kinds: Kinds,
    pub(super) inventory: Vec<Owned>,
    pub(super) memory: Mutex<Memory>,
}

/// What one look leaves for the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// Sentences that are told already.
    told: BTreeSet<String>,
    /// Kinds that nobody names and that cannot be listed. They are not asked for again, so that they slow nothing down.
    refused: BTreeSet<Resource>,
    /// What the last look could not see although it may be the app's.
    missed: Vec<Owned>,
}

/// What a look has brought.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) found: Vec<Candidate>,
    pub(super) notes: Vec<String>,
}

impl Finder {
    /// Looks for everything that the app owns. A note is told once.
    pub(super) async fn belongings(&self, cluster: &Cluster) -> Belongings {
        let refused = locked(&self.memory).refused.clone();
        let mut found = self.search(cluster).belongings(&self.inventory, &refused).await;
        let mut memory = locked(&self.memory);
        memory.refused.append(&mut found.refused);
        found.notes.retain(|note| memory.told.insert(note.clone()));
        found
    }

    /// Returns what the last look could not see although it may be the app's: it has to stay in the inventory.
    pub(super) fn missed(&self) -> Vec<Owned> {
        locked(&self.memory).missed.clone()
    }

    fn search<'a>(&'a self, cluster: &'a Cluster) -> Search<'a> {
        Search { cluster, app: &self.app, namespace: &self.namespace, manifests: &self.manifests, kinds: &self.kinds }
    }

    /// Looks for what is not known yet. It is read once more when it is watched: then its end is seen, whenever it comes.
    pub(super) async fn look(&self, cluster: &Cluster, watches: &Watches, known: &BTreeSet<(ResourceKey, Arc<str>)>) -> Looked {
        let Belongings { mut owned, notes, mut unreadable, .. } = self.belongings(cluster).await;
        let mut looked = Looked { found: Vec::new(), notes };
        owned.retain(|candidate| !known.contains(&(candidate.key.clone(), candidate.live.uid.clone())));
        let wanted = owned.iter().map(|candidate| Wanted { key: candidate.key.clone(), gvk: candidate.gvk(), hook: false });
        watches.follow(wanted.collect()).await;
        let search = &self.search(cluster);
        let looks = owned.into_iter().map(|candidate| async move {
            let read = search.read(&candidate.key, &candidate.gvk()).await;
            let object = read.map(|object| object.filter(|object| search.is_owned(&candidate.key, object)));
            let live = match &object {
                Ok(Some(object)) => Some(cluster.judge().live_among_many(object).await),
                Ok(None) | Err(_) => None,
            };
            (candidate, object, live)
        });
        let mut looks = futures::stream::iter(looks.collect::<Vec<_>>()).buffered(AT_ONCE);
        while let Some((candidate, object, live)) = looks.next().await {
            match object.map(|object| object.zip(live)) {
                Ok(Some((object, live))) => {
                    watches.written(&candidate.key, &object, &live);
                    looked.found.push(Candidate { live, ..candidate });
                }
                Ok(None) => {}
                Err(error) => {
                    let sentence = format!("{} belongs to the app but cannot be read: {error}", candidate.key);
                    unreadable.insert(candidate.key.clone(), (candidate.gvk(), sentence));
                }
            }
        }
        let mut memory = locked(&self.memory);
        memory.missed = unreadable.iter().map(|(key, (gvk, _))| unseen(key, gvk)).collect();
        let sentences =
            unreadable.into_values().map(|(_, sentence)| format!("{sentence}; it stays, and a later deletion looks for it again"));
        looked.notes.extend(sentences.filter(|sentence| memory.told.insert(sentence.clone())));
        looked
    }
}

fn unseen(key: &ResourceKey, gvk: &Gvk) -> Owned {
    Owned { key: key.clone(), version: gvk.version.to_string(), uid: String::new(), wave: 0, seal: String::new() }
}
