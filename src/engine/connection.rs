//! The way to the cluster: opens what a session was given, and says what stands in the way. Keeps nothing open by itself; that is the
//! session's work.

use std::sync::Arc;

use super::prepare::{Connected, Obstacle};
use super::rules;
use super::session::{Connector, FailureKind, Opening};
use crate::cluster::Cluster;
use crate::cluster::connect::{ConnectError, connect};
use crate::health;

/// Opens the connection of a session.
///
/// # Errors
/// What keeps the cluster from being reached, and whose fault it is.
pub(super) async fn open(opening: &Opening) -> Result<Connected, Obstacle> {
    let cluster = |client| Cluster::new(client, opening.clock, rules::judge(health::Rules::default()));
    let (cluster, context, server, namespace) = match &opening.connector {
        Connector::Kubeconfig { file, context } => {
            let found = connect(file.as_deref(), context.as_deref(), opening.clock).await.map_err(|error| obstacle(&error))?;
            (cluster(found.client), found.context.into(), found.server.into(), found.namespace.into())
        }
        Connector::Client { client, context, cluster: server, namespace } => {
            (cluster(client.clone()), context.as_str().into(), server.as_str().into(), namespace.as_str().into())
        }
    };
    Ok(Connected { cluster, context, server, namespace, customizations: Arc::default(), config_map: None })
}

fn obstacle(error: &ConnectError) -> Obstacle {
    let kind = match error {
        ConnectError::Read { .. }
        | ConnectError::None { .. }
        | ConnectError::UnknownContext { .. }
        | ConnectError::NoContext { .. }
        | ConnectError::Unusable { .. } => FailureKind::Usage,
        ConnectError::Unreachable { .. } | ConnectError::Unauthorized { .. } | ConnectError::Forbidden { .. } => FailureKind::Cluster,
    };
    Obstacle { kind, report: error.to_string() }
}
