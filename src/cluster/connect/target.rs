//! What a context of a kubeconfig says about its server, as kube's configuration. Every fault is a sentence that names the entry; no
//! content of a file or an entry is part of it. Opens no connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::ExposeSecret;

use super::proxy::{self, Proxy};

/// A server and how to get to it.
pub(super) struct Target {
    pub(super) config: kube::Config,
    pub(super) proxy: Option<Proxy>,
}

/// Reads a context; `variable` looks into the environment. kube has a function for it, which goes by NO_PROXY where it must not, refuses
/// lists that everybody else reads, and leaves faults to be found while a request is made.
///
/// # Errors
/// What is wrong with the entry, in words that go on after "cannot be used:".
pub(super) fn read(kubeconfig: &Kubeconfig, name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Target, String> {
    let context = kubeconfig.contexts.iter().find(|known| known.name == name).and_then(|known| known.context.as_ref());
    let context = context.ok_or_else(|| "it is empty; give it a cluster and a user".to_owned())?;
    let (cluster, mut user) = (tidy_cluster(cluster(kubeconfig, context)?), tidy_user(user(kubeconfig, context)?));
    let uri = server(&cluster, &user)?;
    if uri.scheme_str() == Some("http") {
        // As kubectl: whoever listens on the way would have them. What is on this machine needs none.
        user = AuthInfo { impersonate: user.impersonate, impersonate_groups: user.impersonate_groups, ..AuthInfo::default() };
    }
    if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        exec.cluster = Some((&cluster).try_into().map_err(|error: kube::config::KubeconfigError| error.to_string())?);
    }
    let proxy = proxy::choose(&uri, cluster.proxy_url.as_deref(), variable)?;
    let mut config = kube::Config::new(uri);
    config.proxy_url = proxy.as_ref().map(|proxy| proxy.uri.clone());
    config.root_cert = authorities(&cluster)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.auth_info = user;
    if let Some(namespace) = context.namespace.as_ref().filter(|namespace| !namespace.is_empty()) {
        config.default_namespace.clone_from(namespace);
    }
    Ok(Target { config, proxy })
}

/// Leaves out what is empty, which is nothing for kubectl, and line ends within what is packed.
fn tidy_cluster(cluster: &Cluster) -> Cluster {
    Cluster {
        certificate_authority: path(cluster.certificate_authority.clone()),
        certificate_authority_data: packed(cluster.certificate_authority_data.as_deref()),
        tls_server_name: cluster.tls_server_name.clone().filter(|name| !name.is_empty()),
        ..cluster.clone()
    }
}

fn tidy_user(user: AuthInfo) -> AuthInfo {
    AuthInfo {
        token: user.token.clone().filter(|token| !token.expose_secret().is_empty()),
        token_file: path(user.token_file.clone()),
        client_certificate: path(user.client_certificate.clone()),
        client_certificate_data: packed(user.client_certificate_data.as_deref()),
        client_key: path(user.client_key.clone()),
        client_key_data: packed(user.client_key_data.as_ref().map(ExposeSecret::expose_secret)).map(Into::into),
        ..user
    }
}

/// An empty path has become that of the kubeconfig's folder when it was read.
fn path(path: Option<String>) -> Option<String> {
    path.filter(|path| !path.is_empty() && !path.ends_with('/'))
}

fn packed(data: Option<&str>) -> Option<String> {
    data.map(|data| data.split_whitespace().collect()).filter(|data: &String| !data.is_empty())
}

fn cluster<'a>(kubeconfig: &'a Kubeconfig, context: &Context) -> Result<&'a Cluster, String> {
    let found = kubeconfig.clusters.iter().find(|known| known.name == context.cluster).and_then(|known| known.cluster.as_ref());
    found.ok_or_else(|| format!("there is no cluster `{}`; add it, or name another one in the context", context.cluster))
}

/// A context without a user is one for a server that asks for none.
fn user(kubeconfig: &Kubeconfig, context: &Context) -> Result<AuthInfo, String> {
    let Some(name) = context.user.as_ref().filter(|name| !name.is_empty()) else { return Ok(AuthInfo::default()) };
    match kubeconfig.auth_infos.iter().find(|known| known.name == *name) {
        Some(known) => Ok(known.auth_info.clone().unwrap_or_default()),
        None => Err(format!("there is no user `{name}`; add it, or log in again")),
    }
}

/// An address without a scheme is one with TLS if anything is said about TLS, as for kubectl.
fn server(cluster: &Cluster, user: &AuthInfo) -> Result<Uri, String> {
    let way = "write it as https://HOST:PORT";
    let text = cluster.server.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| format!("its cluster names no server; {way}"))?;
    let has_tls = cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || cluster.insecure_skip_tls_verify == Some(true)
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some();
    let scheme = if has_tls { "https" } else { "http" };
    let whole = if text.contains("://") { text.to_owned() } else { format!("{scheme}://{text}") };
    let wrong = |why: &str| format!("the server `{text}` is no address ({why}); {way}");
    let uri: Uri = whole.parse().map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err(format!("its server's address holds a user or a password, which servers do not take there; {way}"));
    }
    let behind_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    if behind_host.contains(':') && uri.port_u16().is_none() {
        return Err(wrong("the port is no number up to 65535"));
    }
    match uri.scheme_str() {
        Some("http" | "https") => Ok(uri),
        Some(_) | None => Err(wrong("only http and https are known")),
    }
}

/// Returns the certificates that the server's own is checked with; `None`: those of the system.
fn authorities(cluster: &Cluster) -> Result<Option<Vec<Vec<u8>>>, String> {
    let (pem, place) = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => {
            let place = "certificate-authority-data".to_owned();
            (STANDARD.decode(data).map_err(|error| format!("its {place} cannot be read: {error}"))?, place)
        }
        (None, Some(file)) => {
            let place = format!("certificate-authority {file}");
            (std::fs::read(file).map_err(|error| format!("its {place} cannot be read: {error}"))?, place)
        }
        (None, None) => return Ok(None),
    };
    let found: Result<Vec<Vec<u8>>, _> = CertificateDer::pem_slice_iter(&pem).map(|found| found.map(|der| der.to_vec())).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(Some(found)),
        Ok(_) | Err(_) => Err(format!("its {place} holds no certificate that can be read; it must be in PEM format")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the context `c` of a cluster and a user, in YAML.
    fn of(cluster: &str, user: &str) -> Result<Target, String> {
        let text = format!(
            "{{clusters: [{{name: k, cluster: {cluster}}}], users: [{{name: u, user: {user}}}], \
              contexts: [{{name: c, context: {{cluster: k, user: u, namespace: ''}}}}]}}"
        );
        read(&Kubeconfig::from_yaml(&text).unwrap(), "c", |_| None)
    }

    fn fault(cluster: &str) -> String {
        of(cluster, "{}").err().unwrap()
    }

    /// A certificate in PEM, of which only the form counts here.
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";

    #[test]
    fn a_server_without_a_scheme_is_read_as_kubectl_reads_it() {
        let server = |cluster: &str, user: &str| of(cluster, user).unwrap().config.cluster_url.to_string();
        assert_eq!(server("{server: 'localhost:8080'}", "{}"), "http://localhost:8080/");
        assert_eq!(server("{server: 'k:6443', insecure-skip-tls-verify: true}", "{}"), "https://k:6443/");
        assert_eq!(server("{server: ' k ', insecure-skip-tls-verify: false}", "{client-certificate: /x}"), "https://k/");
        assert_eq!(server("{server: 'https://h/k8s/clusters/c-1'}", "{}"), "https://h/k8s/clusters/c-1");
        assert_eq!(server("{server: 'https://[::1]:6443/'}", "{}"), "https://[::1]:6443/");
        assert_eq!(server("{server: 'https://[::1]'}", "{}"), "https://[::1]/");
    }

    #[test]
    fn a_server_that_is_no_address_is_shown_with_the_way_to_write_it() {
        let way = "write it as https://HOST:PORT";
        assert_eq!(fault("{}"), format!("its cluster names no server; {way}"));
        for (server, why) in [
            ("https://k:99999", "the port is no number up to 65535"),
            ("https://[::1]:x", "the port is no number up to 65535"),
            ("ftp://k", "only http and https are known"),
            ("a b", "invalid uri character"),
        ] {
            let fault = fault(&format!("{{server: '{server}'}}"));
            assert_eq!(fault, format!("the server `{server}` is no address ({why}); {way}"));
        }
    }

    #[test]
    fn a_user_that_is_named_must_exist_and_a_namespace_need_not() {
        let text = "{clusters: [{name: k, cluster: {server: 'http://h'}}], users: [], contexts: [{name: c, context: {cluster: k, user: u}}, {name: d, context: {cluster: k}}, {name: e}]}";
        let kubeconfig = Kubeconfig::from_yaml(text).unwrap();
        let read = |name| super::read(&kubeconfig, name, |_| None);
        assert_eq!(read("c").err().unwrap(), "there is no user `u`; add it, or log in again");
        assert_eq!(read("d").ok().unwrap().config.default_namespace, "default");
        assert_eq!(read("e").err().unwrap(), "it is empty; give it a cluster and a user");
        assert_eq!(of("{server: 'http://h'}", "{}").ok().unwrap().config.default_namespace, "default");
    }

    #[test]
    fn authorities_come_from_the_entry_or_a_file_and_what_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.crt");
        let path = file.display();
        let certificates = |cluster: &str| of(&format!("{{server: 'https://h', {cluster}}}"), "{}").map(|target| target.config.root_cert);
        assert_eq!(certificates("tls-server-name: n"), Ok(None));
        assert!(certificates(&format!("certificate-authority: {path}")).unwrap_err().contains("ca.crt cannot be read: No such file"));
        std::fs::write(&file, format!("a comment\n{PEM}{PEM}")).unwrap();
        assert_eq!(certificates(&format!("certificate-authority: {path}")), Ok(Some(vec![vec![0, 1, 2]; 2])));
        for none in ["", "hush", "-----BEGIN CERTIFICATE-----\nhush"] {
            std::fs::write(&file, none).unwrap();
            let fault = certificates(&format!("certificate-authority: {path}")).unwrap_err();
            assert_eq!(fault, format!("its certificate-authority {path} holds no certificate that can be read; it must be in PEM format"));
        }
        let data = STANDARD.encode(PEM);
        let broken = format!("{}\n  {}", &data[..20], &data[20..]);
        assert_eq!(certificates(&format!("certificate-authority-data: \"{broken}\"")), Ok(Some(vec![vec![0, 1, 2]])));
        let fault = certificates("certificate-authority-data: '%hush'").unwrap_err();
        assert!(fault.starts_with("its certificate-authority-data cannot be read: ") && !fault.contains("hush"), "{fault}");
    }

    #[test]
    fn nothing_secret_goes_over_http_as_with_kubectl() {
        let user = "{token: hush, tokenFile: /x, username: a, password: b, exec: {command: c}, client-certificate: /c, as: me}";
        let user = |server: &str| of(&format!("{{server: '{server}'}}"), user).unwrap().config.auth_info;
        let open = user("http://k:8080");
        assert!(open.token.is_none() && open.token_file.is_none() && open.username.is_none() && open.password.is_none());
        assert!(open.exec.is_none() && open.client_certificate.is_none());
        assert_eq!(open.impersonate.as_deref(), Some("me"));
        assert!(user("https://k").token.is_some() && user("https://k").exec.is_some());
    }

    #[test]
    fn what_is_empty_is_nothing_and_what_is_packed_may_have_lines() {
        let empty = "{server: 'https://h', certificate-authority: '', certificate-authority-data: '', insecure-skip-tls-verify: true}";
        let user = "{token: '', tokenFile: '', client-certificate: /folder/, client-key: '', client-key-data: '', client-certificate-data: \"QQ\\n ==\\n\", \
                     exec: {command: c}}";
        let target = of(empty, user).unwrap();
        assert_eq!(target.config.root_cert, None);
        let user = target.config.auth_info;
        assert!(user.token.is_none() && user.token_file.is_none() && user.client_key.is_none() && user.client_key_data.is_none());
        assert!(user.client_certificate.is_none() && user.exec.is_some());
        assert_eq!(user.client_certificate_data.as_deref(), Some("QQ=="));
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_shown() {
        for server in ["https://me:hush@k:1", "me:hush@k", "https://me:hush@k"] {
            let fault = fault(&format!("{{server: '{server}'}}"));
            assert!(fault.starts_with("its server's address holds a user or a password") && !fault.contains("hush"), "{fault}");
        }
    }
}
