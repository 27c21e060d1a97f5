//! Folders for what a program needs as long as it runs. Knows neither what is put into them nor who asks.

use std::io;
use std::path::{Path, PathBuf};

/// How often another name is tried for a folder.
const TRIES: u32 = 64;

/// A new folder that only this user may look into, removed with all that is in it when it is dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder in a place for temporary files; its name begins like this. What another program has left there under the number of
    /// this process is never taken over.
    ///
    /// # Errors
    /// Why the system did not make it.
    pub(crate) fn new(place: &Path, beginning: &str) -> io::Result<Self> {
        let names = (0..TRIES).map(|at| place.join(format!("{beginning}-{}-{at}", std::process::id())));
        let mut last = None;
        for path in names {
            // Making it fails if somebody else has made it before, so nobody can lead us elsewhere.
            match make(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a temporary folder could not be removed");
        }
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The system gives the number of a process that is gone to another one, and one that was killed has left its folder.
    #[test]
    fn a_folder_of_an_earlier_process_of_the_same_number_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join(format!("s-{}-0", std::process::id()));
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join("state"), "old").unwrap();
        let scratch = Scratch::new(place.path(), "s").unwrap();
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
        std::fs::write(scratch.path().join("state"), "new").unwrap();
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists() && left.join("state").exists());
    }

    #[test]
    fn where_no_name_is_free_that_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        let all: Vec<Scratch> = (0..TRIES).map(|_| Scratch::new(place.path(), "s").unwrap()).collect();
        assert_eq!(Scratch::new(place.path(), "s").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop(all);
        assert!(Scratch::new(&place.path().join("none"), "s").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look_into_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(place.path(), "s").unwrap();
        assert_eq!(std::fs::metadata(scratch.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
