//! From a request to a plan: manifests, kinds and prune candidates. Reads only; writes nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use super::belongings::hook_kinds;
use super::candidates::Search;
use super::compare;
use super::doubles::rekeyed;
use super::finder::Finder;
use super::inventory::{Contents, Home, Ledger, Owned};
use super::references;
use super::seals::Seals;
use super::session::{Answer, FailureKind, Opening, Place};
use crate::cluster::apply::Spot;
use crate::cluster::{Cluster, Reporter, Resource};
use crate::manifest::customization::Customizations;
use crate::manifest::{self, Loaded, ManifestError, ManifestWarning, Source};
use crate::model::{Gvk, Kinds, Object, ResourceKey};
use crate::operation::Request;
use crate::plan::ignore::IgnoreRules;
use crate::plan::{Candidate, Deletion, Manifest, NewNamespace, Plan, PlanInput, Shape};

/// An open connection of a session.
#[derive(Clone)]
pub(super) struct Connected {
    pub(super) cluster: Cluster,
    pub(super) context: Arc<str>,
    pub(super) server: Arc<str>,
    pub(super) namespace: Arc<str>,
    /// What the cluster's `argocd-cm` says about kinds, if it was asked.
    pub(super) customizations: Arc<Customizations>,
    /// That `argocd-cm`.
    pub(super) config_map: Option<ResourceKey>,
}

/// Why nothing could be prepared.
#[derive(Debug)]
pub(super) struct Obstacle {
    pub(super) kind: FailureKind,
    pub(super) report: String,
}

impl Obstacle {
    /// Returns whose fault it is, and the text for people.
    pub(super) fn parts(self) -> (FailureKind, String) {
        (self.kind, self.report)
    }
}

impl From<Obstacle> for Answer {
    fn from(obstacle: Obstacle) -> Self {
        Self::Failed { kind: obstacle.kind, report: obstacle.report }
    }
}

/// A plan with everything that an operation needs beside it.
pub(super) struct Prepared {
    pub(super) id: Arc<str>,
    /// When the operation starts that may come of it: the names of hooks are made of it (spec R302).
    pub(super) started_at: Timestamp,
    pub(super) place: Place,
    pub(super) plan: Arc<Plan>,
    pub(super) notes: Vec<String>,
    pub(super) ledger: Ledger,
    /// Of a deletion.
    pub(super) finder: Option<Arc<Finder>>,
    pub(super) connected: Connected,
    /// Every rule of ignored differences, those of the cluster too.
    pub(super) ignore: IgnoreRules,
    /// What says that an apply need not be sent again, unless everything is to be sent.
    pub(super) seals: Option<Arc<Seals>>,
}

/// Reads the manifests; standard input only once, because it cannot be read again.
pub(super) async fn load(opening: &Opening, stdin: &tokio::sync::Mutex<Option<Loaded>>) -> Result<Loaded, Obstacle> {
    if opening.source != Source::Stdin {
        return manifest::load(&opening.source, &opening.load).await.map_err(|error| unreadable(&error));
    }
    let mut kept = stdin.lock().await;
    if kept.is_none() {
        *kept = Some(manifest::load(&opening.source, &opening.load).await.map_err(|error| unreadable(&error))?);
    }
    Ok(kept.clone().unwrap_or_default())
}

fn unreadable(error: &ManifestError) -> Obstacle {
    Obstacle { kind: FailureKind::Usage, report: laid_out(error) }
}

/// Lays an error out with its excerpt and its way out, without colour.
fn laid_out(error: &dyn Diagnostic) -> String {
    let mut report = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_links(false);
    match handler.render_report(&mut report, error) {
        Ok(()) => report.trim_end().to_owned(),
        Err(_) => error.to_string(),
    }
}

/// What is to be prepared.
pub(super) struct Errand<'a> {
    pub(super) opening: &'a Opening,
    pub(super) request: &'a Request,
    /// Of the operation that may come of it.
    pub(super) id: Arc<str>,
}

/// Makes the plan of a request.
pub(super) async fn prepare(Errand { opening, request, id }: Errand<'_>, loaded: Loaded, connected: Connected) -> Prepared {
    let started_at = opening.clock.now();
    let place = place(opening, &connected, &loaded).await;
    let mut notes = notes(&loaded, &connected);
    let home = home(opening, &place);
    let (mut inventory, is_blocked) = read(&home, &mut notes);
    let manifests = manifests(loaded);
    let kinds = kinds(&connected.cluster, &manifests, inventory.as_mut(), &[]).await;
    let owned = inventory.as_ref().map(|contents| &contents.objects[..]);
    let seals = opening.skip_unchanged.then(|| inventory.as_ref().map(Contents::seals)).flatten();
    let cluster = &connected.cluster;
    let search = Search { cluster, app: &opening.app, namespace: &place.namespace, manifests: &manifests, kinds: &kinds };
    let mut shape = shape(request, new_namespace(cluster, &place.namespace, request).await);
    let build = |shape: &Shape, candidates: &[Candidate]| {
        Plan::build(&PlanInput {
            app: &opening.app,
            namespace: &place.namespace,
            revision: &place.revision,
            operation: &id,
            started_at,
            manifests: &manifests,
            kinds: &kinds,
            candidates,
            selection: request.selection.as_deref(),
            shape,
        })
    };
    let (found, told) = references::beside(cluster, &build(&shape, &[]), request, search.run(owned)).await;
    let mut plan = build(&shape, &found.candidates);
    if request.options.has("ApplyOutOfSyncOnly=true") {
        shape.unmodified = compare::unmodified(cluster, &plan, request, seals.as_deref()).await;
        plan = build(&shape, &found.candidates);
    }
    notes.extend(references::warn(&mut plan, request, told));
    let mut old = inventory.unwrap_or_default();
    old.objects.retain(|owned| !found.gone.contains(&owned.key));
    notes.extend(found.notes);
    let ledger = Ledger::new(home, old, &plan).blocked(is_blocked);
    let (plan, ignore) = (Arc::new(plan), request.ignore.clone());
    Prepared { id, started_at, ledger, finder: None, place, plan, notes, connected, ignore, seals }
}

/// Makes the plan of the deletion of the app. What cannot be read may be the app's, so then nothing is deleted. Neither is it without an
/// inventory that is there: it may say what carries no tracking id, and which hooks have run.
pub(super) async fn prepare_deletion(errand: Errand<'_>, loaded: Loaded, connected: Connected) -> Result<Prepared, Obstacle> {
    let Errand { opening, request, id } = errand;
    let started_at = opening.clock.now();
    let place = place(opening, &connected, &loaded).await;
    let mut notes = notes(&loaded, &connected);
    let home = home(opening, &place);
    let mut kept = home.read().map_err(|clause| unusable_inventory(&clause))?.unwrap_or_default();
    let manifests = manifests(loaded);
    let kinds = kinds(&connected.cluster, &manifests, Some(&mut kept), &hook_kinds()).await;
    let (app, namespace) = (opening.app.clone(), place.namespace.clone());
    let mut finder = Finder { app, namespace, manifests, kinds, inventory: kept.objects, memory: Mutex::default() };
    let shape = Shape { options: request.options.clone(), ignores: !request.ignore.is_empty(), ..Shape::default() };
    let input = PlanInput {
        app: &opening.app,
        namespace: &place.namespace,
        revision: &place.revision,
        operation: &id,
        started_at,
        manifests: &finder.manifests,
        kinds: &finder.kinds,
        candidates: &[],
        selection: None,
        shape: &shape,
    };
    let draft = Plan::of_deletion(&input, &Deletion::default());
    let (found, told) = references::beside(&connected.cluster, &draft, request, finder.belongings(&connected.cluster)).await;
    if let Some(obstacle) = unreadable_belongings(found.unreadable.into_values().map(|(_, sentence)| sentence).collect()) {
        return Err(obstacle);
    }
    let deletion = Deletion { strangers: found.strangers, is_begun: kept.in_deletion };
    let mut plan = Plan::of_deletion(&PlanInput { candidates: &found.owned, ..input }, &deletion);
    notes.extend(references::warn(&mut plan, request, told));
    let plan = Arc::new(plan);
    finder.inventory.retain(|owned| !found.gone.contains(&owned.key));
    notes.extend(found.notes);
    let ledger = Ledger::of_deletion(home, finder.inventory.clone(), &plan, deletion.is_begun);
    let ignore = request.ignore.clone();
    Ok(Prepared { id, started_at, ledger, finder: Some(Arc::new(finder)), place, plan, notes, connected, ignore, seals: None })
}

fn unreadable_belongings(sentences: Vec<String>) -> Option<Obstacle> {
    let first = sentences.first()?;
    let more = if sentences.len() > 1 { format!(" (and {} more)", sentences.len() - 1) } else { String::new() };
    let report =
        format!("nothing was deleted: {first}{more}; let it be readable (the permission, or the server of its kind), or delete it by hand");
    Some(Obstacle { kind: FailureKind::Cluster, report })
}

fn unusable_inventory(clause: &str) -> Obstacle {
    let way_out =
        "repair it or its rights, use the version that wrote it, or move it away: then what carries the app's tracking id is deleted";
    Obstacle { kind: FailureKind::Usage, report: format!("nothing was deleted: {clause}; {way_out}") }
}

/// Returns the inventory, and whether one is there that cannot be read.
fn read(home: &Home, notes: &mut Vec<String>) -> (Option<Contents>, bool) {
    match home.read() {
        Ok(contents) => (contents, false),
        Err(clause) => {
            notes.push(format!("{clause}; what to prune is found by tracking id instead"));
            (None, true)
        }
    }
}

fn manifests(loaded: Loaded) -> Vec<Manifest> {
    loaded.manifests.into_iter().map(|manifest| Manifest { object: manifest.object, origin: manifest.origin }).collect()
}

/// Asks whether `CreateNamespace=true` has to make the destination Namespace (spec R515).
async fn new_namespace(cluster: &Cluster, namespace: &str, request: &Request) -> NewNamespace {
    if !request.options.has("CreateNamespace=true") {
        return NewNamespace::No;
    }
    let resource = Resource { is_namespaced: false, ..Resource::core("Namespace", "namespaces") };
    let spot = Spot { resource: &resource, namespace: "", name: namespace };
    match cluster.get(spot, &Reporter::default()).await {
        Ok(Some(_)) => NewNamespace::No,
        Ok(None) => NewNamespace::Yes,
        Err(error) => NewNamespace::Unclear(error.to_string()),
    }
}

fn shape(request: &Request, new_namespace: NewNamespace) -> Shape {
    Shape {
        options: request.options.clone(),
        hooks: request.hooks,
        skip_hooks: request.skip_hooks.clone(),
        new_namespace,
        unmodified: BTreeSet::new(),
        ignores: !request.ignore.is_empty(),
    }
}

/// What reading the manifests and the rules of the cluster had to say.
fn notes(loaded: &Loaded, connected: &Connected) -> Vec<String> {
    loaded.warnings.iter().map(note).chain(connected.customizations.notes.iter().cloned()).collect()
}

fn note(warning: &ManifestWarning) -> String {
    match &warning.origin {
        Some(origin) => format!("{origin}: {}", warning.message),
        None => warning.message.clone(),
    }
}

fn home(opening: &Opening, place: &Place) -> Home {
    Home {
        state_dir: opening.state_dir.clone(),
        context: place.context.to_string(),
        namespace: place.namespace.to_string(),
        app: opening.app.clone(),
    }
}

/// Finds out what the kinds of the manifests and of an inventory are; the keys of the inventory follow from that.
async fn kinds(cluster: &Cluster, manifests: &[Manifest], inventory: Option<&mut Contents>, also: &[Gvk]) -> Kinds {
    let objects = || manifests.iter().map(|manifest| &manifest.object);
    let old = inventory.iter().flat_map(|contents| &contents.objects).map(Owned::gvk);
    let wanted = objects().map(Object::gvk).chain(old).chain(also.iter().cloned()).filter(|gvk| !gvk.kind.is_empty());
    let mut kinds = cluster.discover(&wanted.collect()).await;
    kinds.define(objects());
    if let Some(contents) = inventory {
        contents.objects = rekeyed(std::mem::take(&mut contents.objects), &kinds);
    }
    kinds
}

async fn place(opening: &Opening, connected: &Connected, loaded: &Loaded) -> Place {
    let revision = match &opening.revision {
        Some(revision) => revision.clone(),
        None => manifest::revision(&opening.source, loaded).await,
    };
    Place {
        app: opening.app.as_str().into(),
        context: connected.context.clone(),
        cluster: connected.server.clone(),
        namespace: opening.namespace.as_deref().map_or_else(|| connected.namespace.clone(), Into::into),
        source: shown(&opening.source).into(),
        revision: revision.into(),
        read_only: opening.read_only.as_deref().map(Into::into),
        protected: opening.protected.iter().any(|pattern| matches_pattern(pattern, &connected.context)),
    }
}

/// Names a source for people.
pub(super) fn shown(source: &Source) -> String {
    match source {
        Source::Stdin => "standard input".to_owned(),
        Source::File(path) => path.display().to_string(),
        Source::Folder(path) => format!("{}/", path.display().to_string().trim_end_matches('/')),
        Source::Kustomization(path) => format!("kustomize {}", path.display()),
        Source::Chart(path) => format!("helm {}", path.display()),
        Source::Memory { name, .. } => (*name).to_owned(),
    }
}

/// Compares with a pattern in which `*` stands for any text and `?` for any character.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches_pattern(rest.as_str(), &text[at..])),
        Some(one) => text
            .chars()
            .next()
            .is_some_and(|first| (one == '?' || one == first) && matches_pattern(rest.as_str(), &text[first.len_utf8()..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_13_a_pattern_protects_contexts() {
        for (pattern, context, is_protected) in [
            ("*prod*", "eu-prod-1", true),
            ("*prod*", "production", true),
            ("*prod*", "staging", false),
            ("prod", "prod", true),
            ("prod", "prod-1", false),
            ("p?od", "prod", true),
            ("*", "", true),
            ("?", "ä", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(matches_pattern(pattern, context), is_protected, "{pattern} {context}");
        }
    }

    #[test]
    fn an_error_in_a_manifest_is_laid_out_without_colour() {
        let error = manifest::parse("a: [", "app.yaml").unwrap_err();
        let report = unreadable(&error).report;
        assert!(report.contains("app.yaml:") && !report.contains('\u{1b}'), "{report}");
    }
}
