//! Gives addresses to Services of type LoadBalancer and to Ingresses, as slowly as the story says, or never.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::world::World;
use crate::sim::fields::{self, list, text};

const SERVICE: &str = "service-controller";
const INGRESS: &str = "ingress-controller";

/// Hands out the addresses of the story's pool.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    given: u32,
}

/// Returns after what delay an object is to be looked at, if it wants an address.
pub(super) fn delay(world: &World, object: &Value) -> Option<Duration> {
    let settings = &world.story.cluster.load_balancer;
    let wants = object["kind"] == "Ingress" || text(object, "/spec/type") == "LoadBalancer";
    (wants && !settings.never && list(object, "/status/loadBalancer/ingress").is_empty()).then_some(settings.delay)
}

impl Addresses {
    /// Gives an address to an object that still wants one.
    pub(super) fn reconcile(&mut self, world: &mut World, place: &ObjectRef) {
        let Some(object) = world.get(place).filter(|object| delay(world, object).is_some() && !fields::is_deleting(object)) else { return };
        let Some(address) = self.next(&world.story.cluster.load_balancer.pool) else { return };
        let (component, ingress) =
            if place.is("", "services") { (SERVICE, json!({"ip": address, "ipMode": "VIP"})) } else { (INGRESS, json!({"ip": address})) };
        world.update_status(component, place, |object| object["status"]["loadBalancer"] = json!({"ingress": [ingress]}));
        if component == SERVICE {
            world.normal(&object, SERVICE, "EnsuredLoadBalancer", "Ensured load balancer");
        } else {
            world.normal(&object, INGRESS, "Sync", "Scheduled for sync");
        }
    }

    fn next(&mut self, pool: &str) -> Option<String> {
        let base: Ipv4Addr = pool.split('/').next()?.parse().ok()?;
        self.given += 1;
        Some(Ipv4Addr::from_bits(base.to_bits().checked_add(self.given)?).to_string())
    }
}
