//! Runs an expression in an object. Every step is counted, and every copy by its size; what is still to be done with an output is a call that
//! the producer makes, so nothing is produced that nobody takes.

use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::Value;

use super::super::{Place, Step};
use super::Fault;
use super::compile::{Access, Expr, Reach};
use super::functions::Patterns;
use super::order::{is_true, weight};
use super::trail::{Trail, TrailStep};

/// A value: a part of the object, or computed.
#[derive(Clone)]
pub(super) enum Val<'v> {
    Part(&'v Value),
    Own(Rc<Value>),
}

impl Deref for Val<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::Part(value) => value,
            Self::Own(value) => value,
        }
    }
}

/// A value and where it is; computed ones are nowhere.
#[derive(Clone)]
pub(super) struct Item<'v> {
    pub(super) value: Val<'v>,
    trail: Option<Trail>,
}

impl Item<'_> {
    pub(super) fn computed(value: Value) -> Self {
        Self { value: Val::Own(Rc::new(value)), trail: None }
    }
}

/// The bound variables.
type Scope<'v> = Option<Rc<Bound<'v>>>;

pub(super) struct Bound<'v> {
    name: &'v str,
    value: Val<'v>,
    outer: Scope<'v>,
}

/// What an expression sees.
#[derive(Clone)]
pub(super) struct At<'v> {
    scope: Scope<'v>,
    pub(super) item: Item<'v>,
}

impl<'v> At<'v> {
    pub(super) fn on(&self, item: Item<'v>) -> Self {
        Self { scope: self.scope.clone(), item }
    }
}

/// Why it does not go on.
pub(super) enum Stop {
    Fault(Fault),
    /// Whoever has this number has had enough.
    Enough(u64),
}

pub(super) type Flow = Result<(), Stop>;
/// What comes out of a value.
type More<'m, 'v> = &'m mut dyn FnMut(&mut Machine<'_>, Item<'v>, Next<'_, 'v>) -> Flow;

/// What is done with two outputs.
pub(super) type Pair<'n, 'v> = &'n mut dyn FnMut(&mut Machine<'_>, Val<'v>, Val<'v>) -> Flow;

/// What is done with an output.
pub(super) type Next<'n, 'v> = &'n mut dyn FnMut(&mut Machine<'_>, Item<'v>) -> Flow;

pub(super) fn error<T>(why: &'static str) -> Result<T, Stop> {
    Err(Stop::Fault(Fault::Error(why)))
}

pub(super) struct Machine<'f> {
    fuel: &'f mut u64,
    pub(super) patterns: Patterns,
    marks: u64,
}

pub(super) fn places(expr: &Expr, document: &Value, fuel: &mut u64) -> Result<Vec<Place>, Fault> {
    let mut found = Vec::new();
    let mut machine = Machine { fuel, patterns: HashMap::new(), marks: 0 };
    let root = Item { value: Val::Part(document), trail: Some(Trail::root()) };
    let flow = machine.run(expr, At { scope: None, item: root }, &mut |machine, item| {
        let Some(trail) = item.trail else { return Err(Stop::Fault(Fault::NoPath)) };
        let places = trail.places();
        machine.spend(places.iter().map(|place| place.0.len() as u64).sum())?;
        found.extend(places);
        Ok(())
    });
    match flow {
        Ok(()) => Ok(found),
        Err(Stop::Fault(fault)) => Err(fault),
        // Every number has its owner, who takes it.
        Err(Stop::Enough(_)) => Ok(found),
    }
}

impl Machine<'_> {
    pub(super) fn spend(&mut self, steps: u64) -> Flow {
        match self.fuel.checked_sub(steps) {
            Some(left) => {
                *self.fuel = left;
                Ok(())
            }
            None => {
                *self.fuel = 0;
                Err(Stop::Fault(Fault::Budget))
            }
        }
    }

    /// Returns a copy that is paid for.
    pub(super) fn copy(&mut self, value: &Value) -> Result<Value, Stop> {
        self.spend(weight(value))?;
        Ok(value.clone())
    }

    /// Returns a number for who may have enough.
    pub(super) fn mark(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    /// Runs an expression and hands each output over.
    pub(super) fn run<'v>(&mut self, expr: &'v Expr, at: At<'v>, next: Next<'_, 'v>) -> Flow {
        self.spend(1)?;
        match expr {
            Expr::Id => next(self, at.item),
            Expr::Literal(value) => next(self, Item { value: Val::Part(value), trail: None }),
            Expr::Variable(name) => next(self, at.variable(name)),
            Expr::Recurse => self.recurse(at.item, next),
            Expr::Pipe(left, right) => {
                let outer = at.clone();
                self.run(left, at, &mut |machine, item| machine.run(right, outer.on(item), next))
            }
            Expr::Comma(left, right) => {
                self.run(left, at.clone(), next)?;
                self.run(right, at, next)
            }
            Expr::Bind(source, name, body) => self.bind(source, (name, body), at, next),
            Expr::Access(head, access) => self.access((head, access), at, next),
            Expr::Call(function, arguments) => self.call(*function, arguments, at, next),
            Expr::If(condition, then, otherwise) => {
                let outer = at.clone();
                self.run(condition, at, &mut |machine, item| {
                    let branch = if is_true(&item.value) { then } else { otherwise };
                    machine.run(branch, outer.clone(), next)
                })
            }
            Expr::Or(left, right) => self.logic(true, (left, right), at, next),
            Expr::And(left, right) => self.logic(false, (left, right), at, next),
            Expr::Otherwise(left, right) => self.otherwise((left, right), at, next),
            Expr::Try(body, handler) => self.attempt(body, handler.as_deref(), at, next),
            Expr::Math(..) | Expr::Compare(..) | Expr::Negative(_) => self.compute(expr, at, next),
            Expr::Text(_) | Expr::Array(_) | Expr::Object(_) => self.construct(expr, at, next),
        }
    }

    fn bind<'v>(&mut self, source: &'v Expr, (name, body): (&'v str, &'v Expr), at: At<'v>, next: Next<'_, 'v>) -> Flow {
        let outer = at.clone();
        self.run(source, at, &mut |machine, item| {
            let bound = Bound { name, value: item.value, outer: outer.scope.clone() };
            machine.run(body, At { scope: Some(Rc::new(bound)), item: outer.item.clone() }, next)
        })
    }

    fn access<'v>(&mut self, (head, access): (&'v Expr, &'v Access), at: At<'v>, next: Next<'_, 'v>) -> Flow {
        let outer = at.clone();
        self.run(head, at, &mut |machine, item| {
            let mut is_escaped = false;
            let flow =
                machine.reach(&access.part, &outer, item, &mut |machine, item| next(machine, item).inspect_err(|_| is_escaped = true));
            match flow {
                Err(Stop::Fault(Fault::Error(_))) if access.is_optional && !is_escaped => Ok(()),
                flow => flow,
            }
        })
    }

    fn reach<'v>(&mut self, part: &'v Reach, outer: &At<'v>, item: Item<'v>, next: Next<'_, 'v>) -> Flow {
        match part {
            Reach::Each => self.each(item, next),
            Reach::Index(index) => self.run(index, outer.clone(), &mut |machine, key| {
                let child = machine.child(&item, &key.value)?;
                next(machine, child)
            }),
            Reach::Slice(from, upto) => {
                let none = &Expr::Literal(Value::Null);
                let (from, upto) = (from.as_ref().unwrap_or(none), upto.as_ref().unwrap_or(none));
                self.run(from, outer.clone(), &mut |machine, from| {
                    machine.run(upto, outer.clone(), &mut |machine, upto| {
                        let slice = machine.slice(&item, &from.value, &upto.value)?;
                        next(machine, slice)
                    })
                })
            }
        }
    }

    fn slice<'v>(&mut self, item: &Item<'v>, from: &Value, upto: &Value) -> Result<Item<'v>, Stop> {
        let items = match &*item.value {
            Value::Array(items) => &items[..],
            Value::Null => &[],
            _ => return error("only arrays can be sliced"),
        };
        let (Some(from), Some(upto)) = (bound(from, items.len(), 0), bound(upto, items.len(), items.len())) else {
            return error("a slice begins and ends with numbers");
        };
        let upto = upto.max(from);
        let trail = item.trail.as_ref().map(|trail| trail.then(TrailStep::Some(from, upto))).transpose()?;
        let copy = items[from..upto].iter().map(|item| self.copy(item)).collect::<Result<_, _>>()?;
        Ok(Item { value: Val::Own(Rc::new(Value::Array(copy))), trail })
    }

    /// Hands over each item of an array or value of an object.
    pub(super) fn each<'v>(&mut self, item: Item<'v>, next: Next<'_, 'v>) -> Flow {
        match &*item.value {
            Value::Array(items) => {
                for at in 0..items.len() {
                    let child = self.item_at(&item, at)?;
                    next(self, child)?;
                }
                Ok(())
            }
            Value::Object(map) => {
                for key in map.keys() {
                    let child = self.field(&item, key)?;
                    next(self, child)?;
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => error("only arrays and objects can be iterated"),
        }
    }

    /// Hands over a value and everything in it.
    fn recurse<'v>(&mut self, item: Item<'v>, next: Next<'_, 'v>) -> Flow {
        self.spread(
            item,
            &mut |machine, item, found| match &*item.value {
                Value::Array(_) | Value::Object(_) => machine.each(item, found),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
            },
            next,
        )
    }

    /// Hands over a value, what comes out of it, what comes out of that, and so on; without recursion of its own.
    pub(super) fn spread<'v>(&mut self, item: Item<'v>, more: More<'_, 'v>, next: Next<'_, 'v>) -> Flow {
        let mut waiting = vec![item];
        while let Some(item) = waiting.pop() {
            self.spend(1)?;
            next(self, item.clone())?;
            let mut found = Vec::new();
            more(self, item, &mut |machine, item| {
                machine.spend(1)?;
                found.push(item);
                Ok(())
            })?;
            waiting.extend(found.into_iter().rev());
        }
        Ok(())
    }

    fn item_at<'v>(&mut self, item: &Item<'v>, at: usize) -> Result<Item<'v>, Stop> {
        let trail = item.trail.as_ref().map(|trail| trail.then(TrailStep::One(Step::Index(at)))).transpose()?;
        let value = self.part(item, |value| value.get(at))?;
        Ok(Item { value, trail })
    }

    fn field<'v>(&mut self, item: &Item<'v>, key: &str) -> Result<Item<'v>, Stop> {
        let trail = item.trail.as_ref().map(|trail| trail.then(TrailStep::One(Step::Key(key.into())))).transpose()?;
        let value = self.part(item, |value| value.get(key))?;
        Ok(Item { value, trail })
    }

    fn part<'v>(&mut self, item: &Item<'v>, find: impl FnOnce(&Value) -> Option<&Value>) -> Result<Val<'v>, Stop> {
        self.spend(1)?;
        Ok(match &item.value {
            Val::Part(value) => find(value).map_or_else(|| Val::Own(Rc::new(Value::Null)), Val::Part),
            Val::Own(value) => {
                let copy = find(value).map(|value| self.copy(value)).transpose()?;
                Val::Own(Rc::new(copy.unwrap_or_default()))
            }
        })
    }

    /// Returns what is at a key or an index, null if there is nothing.
    pub(super) fn child<'v>(&mut self, item: &Item<'v>, key: &Value) -> Result<Item<'v>, Stop> {
        match (&*item.value, key) {
            (Value::Object(_) | Value::Null, Value::String(key)) => self.field(item, key),
            (Value::Array(items), Value::Number(number)) => {
                let at = position(number.as_f64().unwrap_or_default(), items.len());
                self.item_at(item, at.unwrap_or(usize::MAX))
            }
            (Value::Null, Value::Number(number)) => {
                self.item_at(item, position(number.as_f64().unwrap_or_default(), 0).unwrap_or(usize::MAX))
            }
            (Value::Null, Value::Null) => Ok(Item::computed(Value::Null)),
            _ => error("this has no such index"),
        }
    }

    fn logic<'v>(&mut self, decides: bool, (left, right): (&'v Expr, &'v Expr), at: At<'v>, next: Next<'_, 'v>) -> Flow {
        let outer = at.clone();
        self.run(left, at, &mut |machine, item| {
            if is_true(&item.value) == decides {
                return next(machine, Item::computed(Value::Bool(decides)));
            }
            machine.run(right, outer.clone(), &mut |machine, item| next(machine, Item::computed(Value::Bool(is_true(&item.value)))))
        })
    }

    fn otherwise<'v>(&mut self, (left, right): (&'v Expr, &'v Expr), at: At<'v>, next: Next<'_, 'v>) -> Flow {
        let (mut is_any, mut is_escaped) = (false, false);
        let flow = self.run(left, at.clone(), &mut |machine, item| {
            if !is_true(&item.value) {
                return Ok(());
            }
            is_any = true;
            next(machine, item).inspect_err(|_| is_escaped = true)
        });
        match flow {
            Ok(()) => {}
            Err(Stop::Fault(Fault::Error(_))) if !is_escaped => {}
            stopped => return stopped,
        }
        if is_any { Ok(()) } else { self.run(right, at, next) }
    }

    /// Takes the errors of a body, not those of what is done with its outputs.
    fn attempt<'v>(&mut self, body: &'v Expr, handler: Option<&'v Expr>, at: At<'v>, next: Next<'_, 'v>) -> Flow {
        let mut is_escaped = false;
        let flow = self.run(body, at.clone(), &mut |machine, item| next(machine, item).inspect_err(|_| is_escaped = true));
        match (flow, handler) {
            (Err(Stop::Fault(Fault::Error(why))), Some(handler)) if !is_escaped => {
                self.run(handler, at.on(Item::computed(Value::from(why))), next)
            }
            (Err(Stop::Fault(Fault::Error(_))), None) if !is_escaped => Ok(()),
            (flow, _) => flow,
        }
    }
}

impl<'v> At<'v> {
    fn variable(&self, name: &str) -> Item<'v> {
        let mut scope = &self.scope;
        while let Some(bound) = scope {
            if bound.name == name {
                return Item { value: bound.value.clone(), trail: None };
            }
            scope = &bound.outer;
        }
        // The reading has refused names that are not bound.
        Item::computed(Value::Null)
    }
}

/// Returns an index; negative ones count from the end, and `None` is before the beginning.
fn position(number: f64, length: usize) -> Option<usize> {
    let number = number.floor();
    if number >= 0.0 {
        return Some(if number < 1e9 { number as usize } else { usize::MAX });
    }
    let back = if number > -1e9 { (-number) as usize } else { usize::MAX };
    length.checked_sub(back)
}

fn bound(value: &Value, length: usize, default: usize) -> Option<usize> {
    match value {
        Value::Null => Some(default),
        Value::Number(number) => Some(position(number.as_f64().unwrap_or_default(), length).unwrap_or(0).min(length)),
        Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
