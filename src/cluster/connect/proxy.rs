//! Which proxy stands between us and a server, if any: as kubectl decides it, from the kubeconfig and from the variables of the
//! environment. Opens nothing.

use std::net::IpAddr;

use http::Uri;

/// A proxy and where it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) uri: Uri,
    /// `proxy-url`, or the name of a variable.
    origin: &'static str,
}

/// Chooses the proxy for a server. The `proxy-url` of a kubeconfig counts always; a variable neither for this machine itself nor for what
/// NO_PROXY names.
///
/// # Errors
/// It cannot be one; who named it is part of the sentence, a password is not.
pub(super) fn choose(server: &Uri, configured: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, String> {
    if let Some(text) = configured.filter(|text| !text.is_empty()) {
        return parse(text, "proxy-url").map(Some);
    }
    let set = |name: &'static str| variable(name).filter(|value| !value.trim().is_empty()).map(|value| (value, name));
    let named = match server.scheme_str() {
        Some("http") => set("HTTP_PROXY").or_else(|| set("http_proxy")),
        Some(_) | None => set("HTTPS_PROXY").or_else(|| set("https_proxy")),
    };
    let Some((text, origin)) = named else { return Ok(None) };
    let exceptions = set("NO_PROXY").or_else(|| set("no_proxy")).map(|(value, _)| value).unwrap_or_default();
    if is_this_machine(server) || exceptions.split(',').any(|exception| is_excepted(server, exception.trim())) {
        return Ok(None);
    }
    parse(text.trim(), origin).map(Some)
}

impl Proxy {
    /// Returns the address without user and password, and who named it.
    pub(super) fn described(&self) -> String {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("the proxy {}://{host} of {}", self.uri.scheme_str().unwrap_or("http"), self.origin)
    }
}

fn parse(text: &str, origin: &'static str) -> Result<Proxy, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // Names are resolved by the proxy in any case.
    let whole = whole.strip_prefix("socks5h://").map_or(whole.clone(), |rest| format!("socks5://{rest}"));
    let way = "write it as http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT";
    let uri: Uri = whole.parse().map_err(|error| format!("{origin} names no proxy ({error}); {way}"))?;
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") => Ok(Proxy { uri, origin }),
        Some(other) => Err(format!("{origin} names a proxy of the kind `{other}`; {way}")),
        None => Err(format!("{origin} names no proxy; {way}")),
    }
}

fn host(server: &Uri) -> String {
    server.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase()
}

fn is_this_machine(server: &Uri) -> bool {
    let host = host(server);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_excepted(server: &Uri, exception: &str) -> bool {
    let exception = exception.to_ascii_lowercase();
    let (name, port) = split_port(&exception);
    let of_server = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
    if name.is_empty() || port.is_some_and(|port| port != of_server) {
        return false;
    }
    let host = host(server);
    match host.parse::<IpAddr>() {
        Ok(address) => name == "*" || name.parse() == Ok(address) || is_in_network(address, name),
        Err(_) => name == "*" || is_in_domain(&host, name),
    }
}

/// Splits `HOST:PORT` and `[ADDRESS]:PORT`; an IPv6 address has colons of its own.
fn split_port(exception: &str) -> (&str, Option<u16>) {
    let bare = |name: &'_ str| name.parse::<IpAddr>().is_ok();
    match exception.rsplit_once(':') {
        Some((name, port)) if !bare(exception) && !exception.contains('/') => match port.parse() {
            Ok(port) => (name.trim_matches(['[', ']']), Some(port)),
            Err(_) => (exception.trim_matches(['[', ']']), None),
        },
        Some(_) | None => (exception.trim_matches(['[', ']']), None),
    }
}

/// `example.com` is the domain and all below it, `.example.com` and `*.example.com` are only what is below.
fn is_in_domain(host: &str, name: &str) -> bool {
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn is_in_network(address: IpAddr, network: &str) -> bool {
    let Some((base, length)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let same = |one: u128, other: u128, bits: u32| length <= bits && (length == 0 || (one ^ other) >> (bits - length) == 0);
    match (address, base) {
        (IpAddr::V4(one), IpAddr::V4(other)) => same(one.to_bits().into(), other.to_bits().into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(server: &str, configured: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        choose(&server.parse().unwrap(), configured, variable).map(|proxy| proxy.map(|proxy| proxy.described()))
    }

    #[test]
    fn a_variable_names_the_proxy_for_what_is_not_excepted() {
        let proxied = |server: &str, exceptions: &str| {
            chosen(server, None, &[("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", exceptions)]).unwrap().is_some()
        };
        for (server, exceptions, expected) in [
            ("https://10.1.2.3:6443", "", true),
            ("https://10.1.2.3:6443", "10.1.2.3", false),
            ("https://10.1.2.3:6443", "10.1.2.3:6443", false),
            ("https://10.1.2.3:6443", "10.1.2.3:443", true),
            ("https://10.1.2.3:6443", "localhost, 10.0.0.0/8 ,", false),
            ("https://10.1.2.3:6443", "10.2.0.0/16", true),
            ("https://10.1.2.3:6443", "0.0.0.0/0", false),
            ("https://10.1.2.3:6443", "10.0.0.0/99, /, :, [", true),
            ("https://10.1.2.3:6443", "*", false),
            ("https://k8s.Example.com", "example.com", false),
            ("https://k8s.example.com", ".example.com", false),
            ("https://k8s.example.com", "*.EXAMPLE.com", false),
            ("https://k8s.example.com:8443", "example.com:8443", false),
            ("https://example.com", ".example.com", true),
            ("https://badexample.com", "example.com", true),
            ("https://[fd00::1]:6443", "fd00::/8", false),
            ("https://[fd00::1]:6443", "fd00::1", false),
            ("https://[fd00::1]:6443", "[fd00::1]:6443", false),
            ("https://[fd00::1]:6443", "10.0.0.0/8", true),
            ("https://127.0.0.1:6443", "", false),
            ("https://[::1]:6443", "", false),
            ("https://localhost:6443", "", false),
        ] {
            assert_eq!(proxied(server, exceptions), expected, "{server} {exceptions}");
        }
    }

    #[test]
    fn the_scheme_of_the_server_chooses_the_variable_and_a_proxy_needs_no_scheme() {
        let variables = [("http_proxy", "h:1"), ("https_proxy", "s:2")];
        assert_eq!(chosen("http://a", None, &variables), Ok(Some("the proxy http://h:1 of http_proxy".into())));
        assert_eq!(chosen("https://a", None, &variables), Ok(Some("the proxy http://s:2 of https_proxy".into())));
        assert_eq!(chosen("https://a", None, &[("HTTP_PROXY", "h:1"), ("HTTPS_PROXY", " ")]), Ok(None));
    }

    /// A tunnel ends on this machine, which NO_PROXY names as a rule.
    #[test]
    fn the_proxy_of_a_kubeconfig_counts_whatever_the_variables_say() {
        let variables = [("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", "localhost,127.0.0.1,*")];
        let described = chosen("https://localhost:6443", Some("socks5h://localhost:1080"), &variables);
        assert_eq!(described, Ok(Some("the proxy socks5://localhost:1080 of proxy-url".into())));
    }

    #[test]
    fn what_is_no_proxy_is_named_with_its_origin_and_no_password_is_shown() {
        let error = chosen("https://a", Some("ftp://me:hush@p"), &[]).unwrap_err();
        assert!(error.starts_with("proxy-url names a proxy of the kind `ftp`; write it as http://HOST:PORT"), "{error}");
        let error = chosen("https://a", None, &[("HTTPS_PROXY", "::hush::")]).unwrap_err();
        assert!(error.starts_with("HTTPS_PROXY names no proxy (") && !error.contains("hush"), "{error}");
        let described = chosen("https://a", Some("http://me:hush@p:1"), &[]);
        assert_eq!(described, Ok(Some("the proxy http://p:1 of proxy-url".into())));
    }
}
