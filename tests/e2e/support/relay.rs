//! A relay in front of the API server that loses answers: what is asked arrives, what is answered does not. Knows requests by how their
//! first line begins, nothing of what is in them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::space::Space;

/// It serves without TLS, on an address of this machine alone, until it is dropped.
pub(crate) struct Relay {
    /// What gives the requests credentials and encryption behind the relay.
    proxy: Child,
    kubeconfig: PathBuf,
    lost: Arc<AtomicUsize>,
}

impl Relay {
    /// Loses the answer to each request whose first line begins like this: `PATCH /apis/batch/v1/`.
    pub(crate) fn losing(space: &Space, begin: &str) -> Self {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&space.kubeconfig).args(["proxy", "--port=0"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut proxy = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let behind = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(behind.starts_with("127.0.0.1:"), "{line}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let lost = Arc::new(AtomicUsize::new(0));
        let (begin, counter) = (begin.to_owned(), lost.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&behind).unwrap());
                join(client, server, begin.clone(), counter.clone());
            }
        });
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: relay\nclusters: [{{name: relay, cluster: {{server: 'http://{address}'}}}}]\n\
             contexts: [{{name: relay, context: {{cluster: relay, user: relay, namespace: {}}}}}]\nusers: [{{name: relay, user: {{}}}}]\n",
            space.namespace
        );
        Self { proxy, kubeconfig: space.write_text("relay", &text), lost }
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// How many answers were lost so far.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.proxy.kill().ok();
        self.proxy.wait().ok();
    }
}

/// Carries both directions of a connection. Once an answer is to be lost, nothing comes back on it any more.
fn join(client: TcpStream, server: TcpStream, begin: String, lost: Arc<AtomicUsize>) {
    let is_mute = Arc::new(AtomicUsize::new(0));
    let (mute, from, to) = (is_mute.clone(), client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        carry(from, to, |bytes| {
            // A client writes the head of a request at once.
            if bytes.starts_with(begin.as_bytes()) {
                lost.fetch_add(1, Ordering::SeqCst);
                mute.store(1, Ordering::SeqCst);
            }
            true
        });
    });
    thread::spawn(move || carry(server, client, |_| is_mute.load(Ordering::SeqCst) == 0));
}

fn carry(mut from: TcpStream, mut to: TcpStream, is_wanted: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        if is_wanted(bytes) && to.write_all(bytes).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}
