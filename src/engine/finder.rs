//! Looks again at what an app owns while it is being deleted (spec R1109d), and puts what is new under watch before it is told of. Knows what
//! the deletion was prepared with; decides nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::belongings::Belongings;
use super::candidates::Search;
use super::inventory::Owned;
use crate::cluster::Cluster;
use crate::cluster::watch::{Wanted, Watches};
use crate::model::{Kinds, ResourceKey};
use crate::plan::{Candidate, Manifest};

/// Everything that a look needs.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    pub(super) app: String,
    pub(super) namespace: Arc<str>,
    pub(super) manifests: Vec<Manifest>,
    pub(super) kinds: Kinds,
    pub(super) inventory: Vec<Owned>,
    /// Sentences that are told already.
    pub(super) told: BTreeSet<String>,
}

/// What a look has brought.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) found: Vec<Candidate>,
    pub(super) notes: Vec<String>,
}

impl Finder {
    /// Looks for everything that the app owns.
    pub(super) async fn belongings(&self, cluster: &Cluster) -> Belongings {
        self.search(cluster).belongings(&self.inventory).await
    }

    fn search<'a>(&'a self, cluster: &'a Cluster) -> Search<'a> {
        Search { cluster, app: &self.app, namespace: &self.namespace, manifests: &self.manifests, kinds: &self.kinds }
    }

    /// Looks for what is not known yet. It is read once more when it is watched: then its end is seen, whenever it comes.
    pub(super) async fn look(&self, cluster: &Cluster, watches: &Watches, known: &BTreeSet<(ResourceKey, Arc<str>)>) -> Looked {
        let Belongings { mut owned, notes, unreadable, .. } = self.belongings(cluster).await;
        let notes = notes.into_iter().chain(unreadable).filter(|note| !self.told.contains(note));
        let mut looked = Looked { found: Vec::new(), notes: notes.collect() };
        owned.retain(|candidate| !known.contains(&(candidate.key.clone(), candidate.live.uid.clone())));
        let wanted = owned.iter().map(|candidate| Wanted { key: candidate.key.clone(), gvk: candidate.gvk(), hook: false });
        watches.follow(wanted.collect()).await;
        let search = self.search(cluster);
        for candidate in owned {
            match search.read(&candidate.key, &candidate.gvk()).await {
                Ok(Some(object)) if search.is_owned(&candidate.key, &object) => {
                    watches.written(&candidate.key, &object);
                    looked.found.push(Candidate { live: cluster.judge().live(&object), ..candidate });
                }
                Ok(Some(_) | None) => {}
                Err(error) => looked.notes.push(format!("{} belongs to the app but cannot be read, so it stays: {error}", candidate.key)),
            }
        }
        looked
    }
}
