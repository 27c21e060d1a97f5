//! Reads a request line: which document, resource, object or subresource is meant, and the parameters behind the
//! question mark. Knows the grammar of the API's paths, not which resources exist.

/// What a path points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/version`.
    Version,
    /// `/healthz` and its relatives.
    Health,
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/GROUP`.
    Group(String),
    /// `/api/v1`, `/apis/GROUP/VERSION`.
    Resources {
        group: String,
        version: String,
    },
    /// `/openapi/v3`.
    OpenApi,
    /// `/openapi/v3/apis/GROUP/VERSION`.
    OpenApiDocument {
        group: String,
        version: String,
    },
    Target(Target),
    Nothing,
}

/// A collection, an object or a subresource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

/// Reads the path of a request.
pub(super) fn parse(path: &str) -> Route {
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["version"] => Route::Version,
        ["healthz" | "livez" | "readyz", ..] => Route::Health,
        ["api"] => Route::CoreVersions,
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group((*group).to_owned()),
        ["api", version] => Route::Resources { group: String::new(), version: (*version).to_owned() },
        ["apis", group, version] => Route::Resources { group: (*group).to_owned(), version: (*version).to_owned() },
        ["openapi", "v3"] => Route::OpenApi,
        ["openapi", "v3", "api", version] => Route::OpenApiDocument { group: String::new(), version: (*version).to_owned() },
        ["openapi", "v3", "apis", group, version] => Route::OpenApiDocument { group: (*group).to_owned(), version: (*version).to_owned() },
        ["api", version, rest @ ..] => target("", version, rest),
        ["apis", group, version, rest @ ..] => target(group, version, rest),
        _ => Route::Nothing,
    }
}

fn target(group: &str, version: &str, rest: &[&str]) -> Route {
    let mut target = Target { group: group.to_owned(), version: version.to_owned(), ..Target::default() };
    let rest = match rest {
        // `namespaces/shop/status` is about the namespace itself, everything else in it is a resource of its own.
        ["namespaces", _, "status" | "finalize"] => rest,
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => {
            target.namespace = Some((*namespace).to_owned());
            rest
        }
        _ => rest,
    };
    let [plural, rest @ ..] = rest else { return Route::Nothing };
    target.plural = (*plural).to_owned();
    target.name = rest.first().map(|name| (*name).to_owned());
    target.subresource = rest.get(1).map(|name| (*name).to_owned());
    if rest.len() > 2 { Route::Nothing } else { Route::Target(target) }
}

/// The parameters of a request, decoded, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(key, value)| (decode(key), decode(value))).collect())
    }

    /// Returns a parameter that is given and not empty.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Returns each value of a parameter.
    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Tells whether a switch is on (`true`, `1`).
    pub(super) fn is_on(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| matches!(value, "true" | "1" | "True" | "TRUE" | "t" | "T"))
    }
}

/// Undoes percent encoding; `+` is a space. What is no valid escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let digits = if bytes[index] == b'%' { text.get(index + 1..index + 3) } else { None };
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (escaped, bytes[index]) {
            (Some(byte), _) => out.push(byte),
            (None, b'+') => out.push(b' '),
            (None, byte) => out.push(byte),
        }
        index += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Target {
        let Route::Target(target) = parse(path) else { panic!("{path} is no target") };
        target
    }

    #[test]
    fn a_path_names_group_namespace_object_and_subresource() {
        let log = read("/api/v1/namespaces/shop/pods/web-1/log");
        assert_eq!((log.namespace.as_deref(), log.name.as_deref(), log.subresource.as_deref()), (Some("shop"), Some("web-1"), Some("log")));
        let all = read("/apis/apps/v1/deployments");
        assert_eq!((all.group.as_str(), all.plural.as_str(), all.namespace, all.name), ("apps", "deployments", None, None));
    }

    #[test]
    fn a_namespace_is_an_object_and_a_place() {
        let object = read("/api/v1/namespaces/shop");
        assert_eq!((object.plural.as_str(), object.name.as_deref(), object.namespace), ("namespaces", Some("shop"), None));
        assert_eq!(read("/api/v1/namespaces/shop/finalize").subresource.as_deref(), Some("finalize"));
        assert_eq!(read("/api/v1/namespaces/shop/pods").namespace.as_deref(), Some("shop"));
    }

    #[test]
    fn parameters_are_decoded_and_bad_escapes_stay() {
        let query = Query::parse("labelSelector=app+in+%28a%2Cb%29&watch=1&odd=%zz&empty=");
        assert_eq!(query.get("labelSelector"), Some("app in (a,b)"));
        assert!(query.is_on("watch"));
        assert_eq!((query.get("odd"), query.get("empty")), (Some("%zz"), None));
    }
}
