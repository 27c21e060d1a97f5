//! What a sync wants to be allowed, and what of that the current user lacks. Reads the live objects that permissions depend on and asks the
//! server's authorizer; writes nothing, dry runs neither.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;

use super::candidates::AT_ONCE;
use super::prepare::Prepared;
use super::session::Place;
use crate::cluster::apply::Spot;
use crate::cluster::{CallError, Cluster, Reporter, Resource};
use crate::model::{Definition, Grant, Gvk, Object, ResourceKey};
use crate::operation::Request;
use crate::plan::rbac::{Access, Scene, Terms, Wants, bound_role};
use crate::plan::{Circumstances, Findings, Plan};

/// The permissions of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Rights {
    pub(crate) place: Place,
    pub(crate) app: Arc<str>,
    pub(crate) wants: Wants,
    /// What of it the current user may not do, in the same order; or why that could not be asked.
    pub(crate) lacking: Result<Vec<Access>, String>,
    /// Sentences about what could not be looked at.
    pub(crate) notes: Vec<String>,
}

/// Finds out what the sync of a plan wants to be allowed, and what lacks.
pub(super) async fn look(prepared: &Prepared, request: &Request) -> Rights {
    let (cluster, plan) = (&prepared.connected.cluster, &*prepared.plan);
    let scene = Scene { customizations: prepared.connected.config_map.clone(), ..scene(cluster, plan, request).await };
    let terms = Terms { prune: request.prune, dry_run: request.dry_run, force: request.force, options: &request.options };
    let wants = Wants::of(plan, &terms, &scene);
    let lacking = match lacking(cluster, &wants).await {
        Ok(lacking) => Ok(lacking),
        Err(error) => Err(format!("what the current user may do could not be asked: {error}")),
    };
    Rights { place: prepared.place.clone(), app: plan.app.clone(), wants, lacking, notes: prepared.notes.clone() }
}

async fn scene(cluster: &Cluster, plan: &Plan, request: &Request) -> Scene {
    let mut scene = Scene { plurals: plurals(cluster, plan), references: references(plan, request), ..Scene::default() };
    let roles: Vec<ResourceKey> = plan.tasks.iter().filter_map(|task| bound_role(&task.id.key, task.target.as_ref()?)).collect();
    let named = plan.tasks.iter().filter(|task| !task.id.key.name.is_empty()).map(|task| (task.id.key.clone(), task.gvk()));
    let bound = roles.into_iter().map(|key| (key.clone(), Gvk { group: key.group, version: "v1".into(), kind: key.kind }));
    let wanted: BTreeMap<ResourceKey, Gvk> = bound.chain(named).collect();
    let looks = futures::stream::iter(wanted).map(|(key, gvk)| async move {
        let live = live(cluster, &key, &gvk).await;
        (key, live)
    });
    let mut looks = looks.buffer_unordered(AT_ONCE);
    while let Some((key, live)) = looks.next().await {
        match live {
            Ok(Some(object)) => drop(scene.live.insert(key, object)),
            Ok(None) => {}
            Err(_) => _ = scene.unread.insert(key),
        }
    }
    let applications = Gvk::new("argoproj.io/v1alpha1", "Application");
    scene.has_applications = matches!(cluster.in_version(&applications).await, Ok(Some(_)));
    scene
}

/// A kind that is not served yet has no objects.
async fn live(cluster: &Cluster, key: &ResourceKey, gvk: &Gvk) -> Result<Option<Object>, CallError> {
    let Some(resource) = cluster.in_version(gvk).await? else { return Ok(None) };
    cluster.get(Spot { resource: &resource, namespace: &key.namespace, name: &key.name }, &Reporter::default()).await
}

/// Resource names of the kinds that are served, and of those that a definition of the plan brings.
fn plurals(cluster: &Cluster, plan: &Plan) -> BTreeMap<Gvk, Arc<str>> {
    let tasks = plan.tasks.iter().chain(plan.not_run.iter().map(|not_run| &not_run.task));
    let plural = |gvk: &Gvk| {
        let served = cluster.known_resource(gvk).map(|resource: Resource| resource.plural);
        served.or_else(|| plan.tasks.iter().find_map(|task| defined(task.target.as_ref()?, gvk)))
    };
    tasks.filter_map(|task| Some((task.gvk(), plural(&task.gvk())?))).collect()
}

/// Returns the resource name that a target gives to a kind, if it is the definition of it.
fn defined(target: &Object, gvk: &Gvk) -> Option<Arc<str>> {
    let is_of_kind = |definition: &Definition| definition.group == gvk.group && definition.kind == gvk.kind;
    let plural = target.text(&["spec", "names", "plural"]);
    (!plural.is_empty() && Definition::of(target).as_ref().is_some_and(is_of_kind)).then(|| plural.into())
}

/// Objects that the plan does not provide in time, so that the cluster is asked for them.
fn references(plan: &Plan, request: &Request) -> BTreeSet<ResourceKey> {
    let circumstances =
        Circumstances { prunes: request.prune, hooks_go_early: request.delete_succeeded_hooks_early, options: &request.options };
    Findings::of(plan, circumstances).unsure().into_iter().cloned().collect()
}

async fn lacking(cluster: &Cluster, wants: &Wants) -> Result<Vec<Access>, CallError> {
    let asked: BTreeSet<Grant> = wants.accesses.iter().map(|access| access.grant.clone()).collect();
    let allowed = cluster.allowed(&asked).await?;
    let lacking: Vec<Access> = wants.accesses.iter().filter(|access| !allowed.contains(&access.grant)).cloned().collect();
    // Whoever has the rights that a role hands on needs no right to hand them on.
    let instead: BTreeSet<Grant> = lacking.iter().flat_map(|access| access.instead.iter().flatten().cloned()).collect();
    let held = cluster.allowed(&instead).await?;
    let is_held = |access: &Access| access.instead.as_ref().is_some_and(|instead| instead.iter().all(|grant| held.contains(grant)));
    Ok(lacking.into_iter().filter(|access| !is_held(access)).collect())
}
