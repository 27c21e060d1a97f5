//! A bearer token that stands in a file, as that of a pod's service account, which is written anew while we run. Knows nothing of servers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use kube::config::AuthInfo;
use secrecy::ExposeSecret as _;

/// A file, and the token that was last read from it.
#[derive(Clone)]
pub(super) struct TokenFile(Arc<Inner>);

struct Inner {
    path: PathBuf,
    last: Mutex<HeaderValue>,
}

/// Makes the tokens of a user fit for a header: without the line end that an editor leaves, and a file as what is returned. A file
/// counts before a token beside it, which may be old, and both before a plugin.
///
/// # Errors
/// There is no token where one is said to be.
pub(super) fn prepare(user: &mut AuthInfo) -> Result<Option<TokenFile>, String> {
    let other = user.auth_provider.is_some() || (user.username.is_some() && user.password.is_some());
    let token = user.token.as_ref().map(|token| token.expose_secret().trim().to_owned());
    let token = match token {
        Some(token) => Some((header(&token).ok_or_else(|| format!("its token {}", no_token(&token)))?, token)),
        None => None,
    };
    if let Some(path) = user.token_file.take_if(|_| token.is_some() || !other) {
        user.exec = None;
        user.token = None;
        return TokenFile::open(Path::new(&path), token.map(|(header, _)| header)).map(Some);
    }
    user.token = token.map(|(_, token)| token.into());
    Ok(None)
}

impl TokenFile {
    /// Opens a file; `beside` counts as long as it cannot be read.
    fn open(path: &Path, beside: Option<HeaderValue>) -> Result<Self, String> {
        let last = read(path).or_else(|why| beside.ok_or_else(|| format!("its token file {} {why}", path.display())))?;
        Ok(Self(Arc::new(Inner { path: path.to_owned(), last: Mutex::new(last) })))
    }

    /// Returns the token of this moment, or the last one that could be read: a file may be away while it is written.
    pub(super) fn authorization(&self) -> HeaderValue {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(token) = read(&self.0.path) {
            *last = token;
        }
        last.clone()
    }
}

fn read(path: &Path) -> Result<HeaderValue, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    header(text.trim()).ok_or_else(|| no_token(text.trim()))
}

fn header(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| !token.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

fn no_token(token: &str) -> String {
    let why = if token.is_empty() { "is empty" } else { "holds more than a token: a line end or a control character stands in it" };
    format!("{why}; log in again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(token: &str) -> (AuthInfo, Result<Option<TokenFile>, String>) {
        let mut user = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        let prepared = prepare(&mut user);
        (user, prepared)
    }

    #[test]
    fn a_token_loses_its_line_end_and_one_that_fits_no_header_is_refused_without_being_shown() {
        let (user, prepared) = of("abc\n");
        assert!(prepared.unwrap().is_none());
        assert_eq!(user.token.unwrap().expose_secret(), "abc");
        for (token, why) in [("hush\nhush", "its token holds more than a token"), ("\n", "its token is empty; log in again")] {
            let error = of(token).1.err().unwrap();
            assert!(error.starts_with(why) && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_token_file_is_read_for_each_request_and_the_last_token_stays_while_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let user = || AuthInfo { token_file: Some(path.to_str().unwrap().to_owned()), ..AuthInfo::default() };
        let error = prepare(&mut user()).err().unwrap();
        assert!(error.starts_with(&format!("its token file {} cannot be read: No such file", path.display())), "{error}");
        std::fs::write(&path, "").unwrap();
        assert!(prepare(&mut user()).err().unwrap().ends_with("is empty; log in again"));
        std::fs::write(&path, "one\n").unwrap();
        let token = prepare(&mut user()).unwrap().unwrap();
        assert_eq!(token.authorization(), "Bearer one");
        assert!(token.authorization().is_sensitive());
        std::fs::write(&path, "two").unwrap();
        assert_eq!(token.authorization(), "Bearer two");
        for gone in ["", "a\nb"] {
            std::fs::write(&path, gone).unwrap();
            assert_eq!(token.authorization(), "Bearer two");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(token.authorization(), "Bearer two");
    }

    #[test]
    fn a_token_beside_a_file_counts_only_while_the_file_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let mut user = AuthInfo { token: Some("old".to_owned().into()), token_file: path.to_str().map(Into::into), ..AuthInfo::default() };
        let token = prepare(&mut user).unwrap().unwrap();
        assert!(user.token.is_none());
        assert_eq!(token.authorization(), "Bearer old");
        std::fs::write(&path, "new").unwrap();
        assert_eq!(token.authorization(), "Bearer new");
    }
}
