//! The functions that decide which outputs there are, beside those that only make a value of values.

use serde_json::Value;

use super::compile::Expr;
use super::functions::{Function, Plain};
use super::order::{compare, from_float, is_true, weight};
use super::run::{At, Flow, Item, Machine, Next, Stop, Val, error};

impl Machine<'_> {
    /// Calls a function.
    pub(super) fn call<'v>(&mut self, function: Function, arguments: &'v [Expr], at: At<'v>, next: Next<'_, 'v>) -> Flow {
        match (function, arguments) {
            (Function::Empty, _) => Ok(()),
            (Function::Error, _) => error("an error of its own"),
            (Function::Select, [condition]) => {
                let item = at.item.clone();
                self.run(condition, at, &mut |machine, outcome| if is_true(&outcome.value) { next(machine, item.clone()) } else { Ok(()) })
            }
            (Function::RecurseBy, [step]) => {
                let outer = at.clone();
                self.spread(at.item, &mut |machine, item, found| machine.run(step, outer.on(item), found), next)
            }
            (Function::First, [body]) => self.limited(1, body, at, next),
            (Function::Limit, [count, body]) => {
                let outer = at.clone();
                self.run(count, at, &mut |machine, count| {
                    let Some(count) = count.value.as_f64() else { return error("a limit is a number") };
                    machine.limited(count.clamp(0.0, 1e9) as u64, body, outer.clone(), next)
                })
            }
            (Function::Last, [body]) => {
                let mut last = None;
                self.run(body, at, &mut |_, item| {
                    last = Some(item);
                    Ok(())
                })?;
                last.map_or(Ok(()), |item| next(self, item))
            }
            (function, arguments) => self.call_of_values((function, arguments), at, next),
        }
    }

    fn call_of_values<'v>(&mut self, (function, arguments): (Function, &'v [Expr]), at: At<'v>, next: Next<'_, 'v>) -> Flow {
        match (function, arguments) {
            (Function::IsEmpty, [body]) => {
                let is_any = self.finds(body, at, &mut |_| true)?;
                next(self, Item::computed(Value::Bool(!is_any)))
            }
            (Function::Any | Function::All, [source, condition]) => {
                self.quantified(matches!(function, Function::Any), (source, condition), at, next)
            }
            (Function::In, [source]) => {
                let own = at.item.value.clone();
                let is_in = self.finds(source, at, &mut |value| compare(value, &own).is_eq())?;
                next(self, Item::computed(Value::Bool(is_in)))
            }
            (Function::GetPath, [path]) => {
                let item = at.item.clone();
                self.run(path, at, &mut |machine, path| {
                    let Value::Array(keys) = &*path.value else { return error("a path is an array") };
                    let mut item = item.clone();
                    for key in keys {
                        item = machine.child(&item, key)?;
                    }
                    next(machine, item)
                })
            }
            (Function::Range, [upto]) => self.range((&Expr::Literal(Value::Null), upto), at, next),
            (Function::Range, [from, upto]) => self.range((from, upto), at, next),
            (Function::Plain(plain), arguments) => self.plain(plain, (arguments, Vec::new()), &at, next),
            _ => error("wrong number of arguments"),
        }
    }

    fn limited<'v>(&mut self, count: u64, body: &'v Expr, at: At<'v>, next: Next<'_, 'v>) -> Flow {
        if count == 0 {
            return Ok(());
        }
        let (mark, mut left) = (self.mark(), count);
        let flow = self.run(body, at, &mut |machine, item| {
            left -= 1;
            next(machine, item)?;
            if left == 0 { Err(Stop::Enough(mark)) } else { Ok(()) }
        });
        match flow {
            Err(Stop::Enough(own)) if own == mark => Ok(()),
            flow => flow,
        }
    }

    /// Returns whether an output is as wanted; nothing is produced after it.
    fn finds<'v>(&mut self, body: &'v Expr, at: At<'v>, is_wanted: &mut dyn FnMut(&Value) -> bool) -> Result<bool, Stop> {
        let mark = self.mark();
        let flow = self.run(body, at, &mut |machine, item| {
            machine.spend(1)?;
            if is_wanted(&item.value) { Err(Stop::Enough(mark)) } else { Ok(()) }
        });
        match flow {
            Ok(()) => Ok(false),
            Err(Stop::Enough(own)) if own == mark => Ok(true),
            Err(stop) => Err(stop),
        }
    }

    fn quantified<'v>(&mut self, decides: bool, (source, condition): (&'v Expr, &'v Expr), at: At<'v>, next: Next<'_, 'v>) -> Flow {
        let (mark, outer) = (self.mark(), at.clone());
        let flow = self.run(source, at, &mut |machine, item| {
            machine.run(condition, outer.on(item), &mut |_, outcome| {
                if is_true(&outcome.value) == decides { Err(Stop::Enough(mark)) } else { Ok(()) }
            })
        });
        let result = match flow {
            Ok(()) => !decides,
            Err(Stop::Enough(own)) if own == mark => decides,
            stopped => return stopped,
        };
        next(self, Item::computed(Value::Bool(result)))
    }

    fn range<'v>(&mut self, (from, upto): (&'v Expr, &'v Expr), at: At<'v>, next: Next<'_, 'v>) -> Flow {
        self.pairs((from, upto), at, &mut |machine, from, upto| {
            let from = if from.is_null() { Some(0.0) } else { from.as_f64() };
            let (Some(mut number), Some(upto)) = (from, upto.as_f64()) else { return error("a range begins and ends with numbers") };
            while number < upto {
                machine.spend(1)?;
                next(machine, Item::computed(from_float(number).unwrap_or_default()))?;
                number += 1.0;
            }
            Ok(())
        })
    }

    /// Calls a function of values with every combination of its arguments.
    fn plain<'v>(&mut self, plain: Plain, (rest, given): (&'v [Expr], Vec<Val<'v>>), at: &At<'v>, next: Next<'_, 'v>) -> Flow {
        let Some((first, rest)) = rest.split_first() else {
            let weights = given.iter().map(|value| weight(value)).sum::<u64>();
            self.spend(weights.saturating_add(weight(&at.item.value)))?;
            let result = plain(self, &at.item.value, &given)?;
            return next(self, Item::computed(result));
        };
        self.run(first, at.clone(), &mut |machine, item| {
            let given = given.iter().cloned().chain([item.value]).collect();
            machine.plain(plain, (rest, given), at, next)
        })
    }
}
