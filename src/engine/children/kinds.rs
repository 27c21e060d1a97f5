//! Where to look for what may belong to an object. Asks nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cluster::Resource;
use crate::plan::kin::{Below, Usual};

/// A kind and a namespace; empty: everywhere.
pub(crate) type Place = (Resource, Arc<str>);

/// Returns where to look for what is below an object of a namespace; `own`: the kinds of the plan.
pub(super) fn places(below: Below, namespace: &Arc<str>, own: &BTreeSet<Resource>) -> BTreeSet<Place> {
    let usual: BTreeSet<Resource> = below.usual().into_iter().map(resource).collect();
    let is_in_reach = |resource: &&Resource| resource.is_namespaced || below == Below::Everywhere;
    let is_usual =
        |resource: &Resource| usual.iter().any(|usual| usual.gvk.group == resource.gvk.group && usual.gvk.kind == resource.gvk.kind);
    let own = own.iter().filter(|_| below.is_open()).filter(is_in_reach).filter(|resource| resource.can_list && !is_usual(resource));
    let places: BTreeSet<Resource> = own.cloned().chain(usual.iter().cloned()).collect();
    places.into_iter().map(|resource| (resource, namespace.clone())).collect()
}

fn resource(usual: Usual) -> Resource {
    Resource { gvk: usual.gvk, plural: usual.plural.into(), is_namespaced: usual.is_namespaced, can_list: true, can_watch: true }
}
