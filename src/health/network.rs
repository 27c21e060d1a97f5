//! Health of Service and Ingress (spec R413): whether a load balancer has given an address. Reads the object alone.

use serde_json::Value;

use super::read::{list, text};
use super::{Verdict, healthy, progressing};

pub(super) fn service(object: &Value) -> Verdict {
    if text(object, &["spec", "type"])? != "LoadBalancer" {
        return healthy("");
    }
    by_address(list(object, &["status", "loadBalancer", "ingress"])?)
}

/// A controller that never writes an address keeps an Ingress in progress for ever; that is Argo CD's rule too.
pub(super) fn ingress(object: &Value) -> Verdict {
    // Read without types in Argo CD: what is not a list counts as no address, never as an error.
    by_address(list(object, &["status", "loadBalancer", "ingress"]).unwrap_or_default())
}

fn by_address(addresses: &[Value]) -> Verdict {
    if addresses.is_empty() { progressing("") } else { healthy("") }
}
