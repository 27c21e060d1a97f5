//! Where a value is in the object that an expression runs in.

use std::rc::Rc;

use super::super::{Place, Step};
use super::Fault;
use super::run::Stop;

/// Steps from the root of an object; no object of Kubernetes is so deep.
const DEEPEST: usize = 200;

/// Where a value is, from its end to the root.
#[derive(Clone)]
pub(super) struct Trail(Option<Rc<Link>>);

pub(super) struct Link {
    step: TrailStep,
    parent: Trail,
    length: usize,
}

#[derive(Clone)]
pub(super) enum TrailStep {
    One(Step),
    /// Items of an array, from the first to before the second.
    Some(usize, usize),
}

impl Trail {
    /// Returns the way to the whole object.
    pub(super) fn root() -> Self {
        Self(None)
    }

    /// Returns the way one step further.
    pub(super) fn then(&self, step: TrailStep) -> Result<Self, Stop> {
        let Some(link) = &self.0 else { return Ok(Self::below(&Self(None), step, 1)) };
        if link.length >= DEEPEST {
            return Err(Stop::Fault(Fault::Budget));
        }
        // A step into a part of an array is a step into the array.
        let step = match (&link.step, step) {
            (TrailStep::Some(from, _), TrailStep::One(Step::Index(at))) => TrailStep::One(Step::Index(from.saturating_add(at))),
            (TrailStep::Some(from, _), TrailStep::Some(first, last)) => TrailStep::Some(from + first, from + last),
            (_, step) => return Ok(Self::below(self, step, link.length + 1)),
        };
        Ok(Self::below(&link.parent, step, link.length))
    }

    fn below(parent: &Self, step: TrailStep, length: usize) -> Self {
        Self(Some(Rc::new(Link { step, parent: parent.clone(), length })))
    }

    /// Returns the fields that it means: several for a part of an array.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut steps = Vec::new();
        let mut ends: Option<(usize, usize)> = None;
        let mut link = &self.0;
        while let Some(own) = link {
            match &own.step {
                TrailStep::One(step) => steps.push(step.clone()),
                // Only the last step can be one: what is in it has an index of its own.
                TrailStep::Some(from, upto) => ends = Some((*from, *upto)),
            }
            link = &own.parent.0;
        }
        steps.reverse();
        match ends {
            None => vec![Place(steps)],
            Some((from, upto)) => (from..upto).map(|at| Place(steps.iter().cloned().chain([Step::Index(at)]).collect())).collect(),
        }
    }
}
