//! The Rust type behind each built-in kind, from which its schema is traced.

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, authentication::v1 as authentication, authorization::v1 as authorization,
    autoscaling::v2 as autoscaling, batch::v1 as batch, coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    networking::v1 as networking, node::v1 as node, policy::v1 as policy, rbac::v1 as rbac, scheduling::v1 as scheduling,
    storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as apiregistration;

use super::Node;
use super::trace::trace;

/// Returns the type of the metadata of every object.
pub(super) fn metadata() -> Node {
    trace::<ObjectMeta>()
}

/// Returns the type of the objects of a built-in kind.
pub(super) fn root(group: &str, kind: &str) -> Node {
    match group {
        "" => core_kind(kind),
        "apps" | "batch" | "autoscaling" | "policy" => workload_kind(kind),
        "networking.k8s.io" | "discovery.k8s.io" | "coordination.k8s.io" => network_kind(kind),
        "rbac.authorization.k8s.io" | "authorization.k8s.io" | "authentication.k8s.io" => access_kind(kind),
        "events.k8s.io" => trace::<k8s_openapi::api::events::v1::Event>(),
        _ => extension_kind(kind),
    }
}

fn core_kind(kind: &str) -> Node {
    match kind {
        "ConfigMap" => trace::<core::ConfigMap>(),
        "Endpoints" => trace::<core::Endpoints>(),
        "Event" => trace::<core::Event>(),
        "LimitRange" => trace::<core::LimitRange>(),
        "Namespace" => trace::<core::Namespace>(),
        "Node" => trace::<core::Node>(),
        "PersistentVolume" => trace::<core::PersistentVolume>(),
        "PersistentVolumeClaim" => trace::<core::PersistentVolumeClaim>(),
        "Pod" => trace::<core::Pod>(),
        "PodTemplate" => trace::<core::PodTemplate>(),
        "ReplicationController" => trace::<core::ReplicationController>(),
        "ResourceQuota" => trace::<core::ResourceQuota>(),
        "Secret" => trace::<core::Secret>(),
        "Service" => trace::<core::Service>(),
        "ServiceAccount" => trace::<core::ServiceAccount>(),
        _ => Node::Any,
    }
}

fn workload_kind(kind: &str) -> Node {
    match kind {
        "ControllerRevision" => trace::<apps::ControllerRevision>(),
        "CronJob" => trace::<batch::CronJob>(),
        "DaemonSet" => trace::<apps::DaemonSet>(),
        "Deployment" => trace::<apps::Deployment>(),
        "HorizontalPodAutoscaler" => trace::<autoscaling::HorizontalPodAutoscaler>(),
        "Job" => trace::<batch::Job>(),
        "PodDisruptionBudget" => trace::<policy::PodDisruptionBudget>(),
        "ReplicaSet" => trace::<apps::ReplicaSet>(),
        "StatefulSet" => trace::<apps::StatefulSet>(),
        _ => Node::Any,
    }
}

fn network_kind(kind: &str) -> Node {
    match kind {
        "EndpointSlice" => trace::<discovery::EndpointSlice>(),
        "Ingress" => trace::<networking::Ingress>(),
        "IngressClass" => trace::<networking::IngressClass>(),
        "Lease" => trace::<coordination::Lease>(),
        "NetworkPolicy" => trace::<networking::NetworkPolicy>(),
        _ => Node::Any,
    }
}

fn access_kind(kind: &str) -> Node {
    match kind {
        "ClusterRole" => trace::<rbac::ClusterRole>(),
        "ClusterRoleBinding" => trace::<rbac::ClusterRoleBinding>(),
        "LocalSubjectAccessReview" => trace::<authorization::LocalSubjectAccessReview>(),
        "Role" => trace::<rbac::Role>(),
        "RoleBinding" => trace::<rbac::RoleBinding>(),
        "SelfSubjectAccessReview" => trace::<authorization::SelfSubjectAccessReview>(),
        "SelfSubjectReview" => trace::<authentication::SelfSubjectReview>(),
        "SelfSubjectRulesReview" => trace::<authorization::SelfSubjectRulesReview>(),
        "SubjectAccessReview" => trace::<authorization::SubjectAccessReview>(),
        "TokenReview" => trace::<authentication::TokenReview>(),
        _ => Node::Any,
    }
}

fn extension_kind(kind: &str) -> Node {
    match kind {
        "APIService" => trace::<apiregistration::APIService>(),
        "CSIDriver" => trace::<storage::CSIDriver>(),
        "CSINode" => trace::<storage::CSINode>(),
        "CustomResourceDefinition" => trace::<apiextensions::CustomResourceDefinition>(),
        "MutatingWebhookConfiguration" => trace::<admission::MutatingWebhookConfiguration>(),
        "PriorityClass" => trace::<scheduling::PriorityClass>(),
        "RuntimeClass" => trace::<node::RuntimeClass>(),
        "StorageClass" => trace::<storage::StorageClass>(),
        "ValidatingWebhookConfiguration" => trace::<admission::ValidatingWebhookConfiguration>(),
        "VolumeAttachment" => trace::<storage::VolumeAttachment>(),
        _ => Node::Any,
    }
}
