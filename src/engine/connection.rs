//! The way to the cluster: opens what a session was given, and says what stands in the way. Keeps nothing open by itself; that is the
//! session's work.

use std::sync::Arc;

use super::patience::Patience;
use super::prepare::{Connected, Obstacle};
use super::rules;
use super::session::{Connector, FailureKind, Opening};
use crate::cluster::Cluster;
use crate::cluster::connect::{self, ConnectError, Entered, Found};
use crate::health;

/// Opens the connection of a session.
///
/// # Errors
/// What keeps the cluster from being reached, and whose fault it is.
pub(super) async fn open(opening: &Opening, patience: Patience<'_>) -> Result<Connected, Obstacle> {
    let cluster = |client| Cluster::new(client, opening.clock, rules::judge(health::Rules::default()));
    let (cluster, context, server, namespace) = match &opening.connector {
        Connector::Kubeconfig { file, context, terminal } => {
            let found = connect::find(file.as_deref(), context.as_deref(), *terminal).map_err(|error| obstacle(&error))?;
            let entered = enter(found, patience).await.map_err(|error| obstacle(&error))?;
            let server = entered.server().to_owned();
            let reaching = patience.with(|| format!("the API server {server}"), entered.reach(opening.clock));
            let found = reaching.await.map_err(|error| obstacle(&error))?;
            (cluster(found.client), found.context.into(), found.server.into(), found.namespace.into())
        }
        Connector::Client { client, context, cluster: server, namespace } => {
            (cluster(client.clone()), context.as_str().into(), server.as_str().into(), namespace.as_str().into())
        }
    };
    Ok(Connected { cluster, context, server, namespace, customizations: Arc::default(), config_map: None })
}

/// Gets the credentials: a plugin may wait for a person.
async fn enter(found: Found, patience: Patience<'_>) -> Result<Entered, ConnectError> {
    let what = found.plugin().unwrap_or_else(|| "the credentials".to_owned());
    patience.with(|| what, found.enter()).await
}

fn obstacle(error: &ConnectError) -> Obstacle {
    let kind = match error {
        ConnectError::Read { .. }
        | ConnectError::None { .. }
        | ConnectError::UnknownContext { .. }
        | ConnectError::NoContext { .. }
        | ConnectError::Interactive { .. }
        | ConnectError::Unusable { .. } => FailureKind::Usage,
        ConnectError::Unreachable { .. }
        | ConnectError::Untrusted { .. }
        | ConnectError::Unauthorized { .. }
        | ConnectError::Forbidden { .. } => FailureKind::Cluster,
    };
    Obstacle { kind, report: error.to_string() }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;
    use std::process::Command;
    use std::time::Duration;

    use jiff::Timestamp;
    use tokio::sync::mpsc;

    use super::*;
    use crate::clock::Clock;
    use crate::cluster::connect::Terminal;
    use crate::engine::session::{Answer, Waiting};

    /// It waits for a person, so there is no limit; but nothing is silent.
    #[tokio::test]
    async fn a_credential_plugin_that_takes_its_time_is_named_until_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (file, gate) = (folder.path().join("config"), folder.path().join("gate"));
        assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
        // kube runs it twice: for a certificate, and for a token.
        let script = format!("cd {}; test -e done || read x < gate; touch done; exit 3", folder.path().display());
        let plugin = format!("{{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, '{script}']}}");
        let kubeconfig = format!(
            "{{apiVersion: v1, kind: Config, current-context: one, clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}], \
              users: [{{name: u, user: {{exec: {plugin}}}}}], contexts: [{{name: one, context: {{cluster: c, user: u}}}}]}}"
        );
        std::fs::write(&file, kubeconfig).unwrap();
        // Time of this clock goes by fast, and that of the plugin does not.
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH, 1_000.0);
        let (answers, mut told) = mpsc::channel(8);
        let found = connect::find(Some(&file), None, Terminal::Screens).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { enter(found, Patience { clock, answers: &answers, after: Duration::from_secs(5) }).await });
        let Some(Answer::Waiting(Some(Waiting { what, since }))) = told.recv().await else { panic!("nothing was told") };
        assert_eq!(what, "the credential plugin `sh` of context `one`");
        assert!(since < clock.now());
        std::fs::File::options().write(true).open(&gate).unwrap().write_all(b"go\n").unwrap();
        assert!(matches!(told.recv().await, Some(Answer::Waiting(None))));
        let error = tasks.join_next().await.unwrap().unwrap().err().unwrap().to_string();
        assert!(error.contains("its credential plugin failed (exit status: 3)"), "{error}");
        assert!(told.recv().await.is_none());
    }
}
