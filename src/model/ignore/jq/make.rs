//! Values that an expression computes: numbers, comparisons, texts, arrays and objects. They are nowhere in the object.

use jaq_core::ops::Cmp;
use serde_json::{Map, Value};

use super::compile::Expr;
use super::functions;
use super::order::{compare, weight};
use super::run::{At, Flow, Item, Machine, Next, Pair, error};

impl Machine<'_> {
    pub(super) fn compute<'v>(&mut self, expr: &'v Expr, at: At<'v>, next: Next<'_, 'v>) -> Flow {
        match expr {
            Expr::Negative(inner) => self.run(inner, at, &mut |machine, item| {
                let negative = functions::negative(&item.value)?;
                next(machine, Item::computed(negative))
            }),
            Expr::Math(op, left, right) => self.pairs((left, right), at, &mut |machine, left, right| {
                machine.spend(weight(&left).saturating_add(weight(&right)))?;
                let result = functions::calculate(*op, &left, &right)?;
                next(machine, Item::computed(result))
            }),
            Expr::Compare(op, left, right) => self.pairs((left, right), at, &mut |machine, left, right| {
                machine.spend(weight(&left).min(weight(&right)))?;
                next(machine, Item::computed(Value::Bool(holds(*op, &left, &right))))
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn pairs<'v>(&mut self, (left, right): (&'v Expr, &'v Expr), at: At<'v>, next: Pair<'_, 'v>) -> Flow {
        let outer = at.clone();
        self.run(right, at, &mut |machine, right| {
            machine.run(left, outer.clone(), &mut |machine, left| next(machine, left.value, right.value.clone()))
        })
    }

    pub(super) fn construct<'v>(&mut self, expr: &'v Expr, at: At<'v>, next: Next<'_, 'v>) -> Flow {
        match expr {
            Expr::Text(parts) => self.text(parts, String::new(), &at, next),
            Expr::Array(inner) => {
                let mut items = Vec::new();
                if let Some(inner) = inner {
                    self.run(inner, at, &mut |machine, item| {
                        items.push(machine.copy(&item.value)?);
                        Ok(())
                    })?;
                }
                next(self, Item::computed(Value::Array(items)))
            }
            Expr::Object(entries) => self.object(entries, Map::new(), &at, next),
            _ => Ok(()),
        }
    }

    fn text<'v>(&mut self, parts: &'v [Expr], so_far: String, at: &At<'v>, next: Next<'_, 'v>) -> Flow {
        let Some((first, rest)) = parts.split_first() else { return next(self, Item::computed(Value::String(so_far))) };
        self.run(first, at.clone(), &mut |machine, item| {
            let piece = functions::to_text(&item.value);
            machine.spend(1 + ((so_far.len() + piece.len()) / 32) as u64)?;
            machine.text(rest, format!("{so_far}{piece}"), at, next)
        })
    }

    fn object<'v>(&mut self, entries: &'v [(Expr, Expr)], so_far: Map<String, Value>, at: &At<'v>, next: Next<'_, 'v>) -> Flow {
        let Some(((key, value), rest)) = entries.split_first() else { return next(self, Item::computed(Value::Object(so_far))) };
        self.run(key, at.clone(), &mut |machine, key| {
            let Value::String(key) = &*key.value else { return error("a key is a text") };
            machine.run(value, at.clone(), &mut |machine, value| {
                let mut map = so_far.clone();
                machine.spend(weight(&value.value) + map.values().map(weight).sum::<u64>())?;
                map.insert(key.clone(), (*value.value).clone());
                machine.object(rest, map, at, next)
            })
        })
    }
}

fn holds(op: Cmp, left: &Value, right: &Value) -> bool {
    let order = compare(left, right);
    match op {
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
    }
}
