//! What the pieces of work of a session share: the connection, what standard input said, the last plan, and the way to answer. Knows
//! nothing of the operation that runs.

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::super::patience::Patience;
use super::super::prepare::{self, Connected, Errand, Obstacle, Prepared};
use super::super::session::{Answer, Opening};
use super::super::{connection, respect, rules};
use crate::cluster::apply::Spot;
use crate::cluster::{Cluster, Reporter, Resource, locked};
use crate::manifest::{self, Loaded};
use crate::model::{Object, ResourceKey};
use crate::operation::Request;
use crate::plan::{Kind, Plan};

/// What tasks of a session share.
pub(super) struct Shared {
    pub(super) opening: Opening,
    connected: tokio::sync::Mutex<Option<Connected>>,
    stdin: tokio::sync::Mutex<Option<Loaded>>,
    plan: Mutex<Option<Arc<Plan>>>,
    pub(super) answers: mpsc::Sender<Answer>,
}
impl Shared {
    pub(super) fn new(opening: Opening, answers: mpsc::Sender<Answer>) -> Self {
        Self { opening, connected: tokio::sync::Mutex::default(), stdin: tokio::sync::Mutex::default(), plan: Mutex::default(), answers }
    }

    pub(super) async fn answer(&self, answer: Answer) {
        if self.answers.send(answer).await.is_err() {
            tracing::debug!("nobody waits for answers any more");
        }
    }

    pub(super) async fn prepare(&self, kind: Kind, request: &Request, id: Arc<str>) -> Result<Prepared, Obstacle> {
        let source = || format!("the manifests: {}", prepare::shown(&self.opening.source));
        let loaded = self.patience().with(source, prepare::load(&self.opening, &self.stdin)).await?;
        let mut connected = self.connect().await?;
        let server = connected.server.clone();
        let mut customizations = self.waits(&server, self.opening.rules.read(&connected.cluster)).await;
        let rules = self.opening.rules.in_force(&mut customizations, self.opening.clock);
        connected.cluster = connected.cluster.with_judge(rules::judge(rules));
        let request = &Request { ignore: respect::with_those_of(&request.ignore, &mut customizations), ..request.clone() };
        connected.customizations = Arc::new(customizations);
        connected.config_map = self.opening.rules.config_map();
        let errand = Errand { opening: &self.opening, request, id };
        let preparing = async {
            match kind {
                Kind::Sync => Ok(prepare::prepare(errand, loaded, connected).await),
                Kind::Delete => prepare::prepare_deletion(errand, loaded, connected).await,
            }
        };
        let prepared = self.waits(&server, preparing).await?;
        *locked(&self.plan) = Some(prepared.plan.clone());
        Ok(prepared)
    }

    fn patience(&self) -> Patience<'_> {
        Patience::new(self.opening.clock, &self.answers)
    }

    /// Asks the API server something that may take its time.
    pub(super) async fn waits<T>(&self, server: &str, work: impl Future<Output = T>) -> T {
        self.patience().with(|| format!("the API server {server}"), work).await
    }

    async fn connect(&self) -> Result<Connected, Obstacle> {
        let mut kept = self.connected.lock().await;
        if let Some(connected) = &*kept {
            return Ok(connected.clone());
        }
        let connected = connection::open(&self.opening, self.patience()).await?;
        Ok(kept.insert(connected).clone())
    }

    pub(super) async fn object(&self, key: &ResourceKey) -> Result<String, String> {
        let connected = self.connect().await.map_err(|obstacle| obstacle.report)?;
        let cluster = &connected.cluster;
        let resource = self.resource(cluster, key).await?;
        let spot = Spot { resource: &resource, namespace: &key.namespace, name: &key.name };
        match cluster.get(spot, &Reporter::default()).await {
            Ok(Some(object)) => Ok(manifest::to_yaml(&for_people(&object).masked())),
            Ok(None) => Err(format!("{key} does not exist")),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn resource(&self, cluster: &Cluster, key: &ResourceKey) -> Result<Resource, String> {
        let planned = locked(&self.plan).as_ref().and_then(|plan| {
            plan.tasks.iter().find(|task| task.id.key.group == key.group && task.id.key.kind == key.kind).map(crate::model::Task::gvk)
        });
        match planned {
            Some(gvk) => cluster.resource(&gvk).await,
            None => cluster.preferred(&key.group, &key.kind).await,
        }
    }
}

/// Who owns which field is the server's bookkeeping and hides what a person looks for.
fn for_people(object: &Object) -> Object {
    object.with(|value| {
        if let Some(metadata) = value.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
            metadata.remove("managedFields");
        }
    })
}
