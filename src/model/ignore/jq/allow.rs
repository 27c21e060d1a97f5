//! What an expression may do. Goes through its terms, refuses what need not end, grows without bound, changes values or reaches outside, and
//! puts a meter behind whatever makes values, so that the evaluator, which cannot be interrupted, ends when the steps are used up.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

use super::calls::{Cost, allowed, refusal};
use super::formats;
use super::scope::{Called, Scope};
use super::text::few;

pub(super) type Term<'s> = jaq_core::load::parse::Term<&'s str>;

/// Steps of one chain, each of which is a level of the evaluator's recursion.
const LONGEST_CHAIN: usize = 100;
/// Levels after which the stack is looked at, whatever stands there.
const LEVELS: usize = 8;

/// Returns an expression with its meters.
///
/// # Errors
/// It does what selecting fields does not need; a fragment that names it and says what to write.
pub(super) fn metered(term: Term<'_>) -> Result<Term<'_>, String> {
    Allow { scope: Scope::default(), depth: 0 }.term(term)
}

pub(super) fn call<'s>(name: &'s str, arguments: Vec<Term<'s>>) -> Term<'s> {
    Term::Call(name, arguments)
}

fn pipe<'s>(left: Term<'s>, right: Term<'s>) -> Term<'s> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right))
}

/// Counts each output and what is directly in it.
fn tick(term: Term<'_>) -> Term<'_> {
    pipe(term, call("_tick", Vec::new()))
}

/// Counts a turn with each input.
fn turn(term: Term<'_>) -> Term<'_> {
    pipe(call("_turn", Vec::new()), term)
}

/// Counts each output and everything in it.
fn weigh(term: Term<'_>) -> Term<'_> {
    if is_literal(&term) { term } else { pipe(term, call("_weigh", Vec::new())) }
}

/// Lets only numbers and texts be keys: a list as a key searches, which nothing counts.
fn key(term: Term<'_>) -> Term<'_> {
    if matches!(term, Term::Str(..)) && is_literal(&term) { term } else { pipe(term, call("_key", Vec::new())) }
}

fn all<'s>(of: fn(Term<'s>) -> Term<'s>, terms: Vec<Term<'s>>) -> Vec<Term<'s>> {
    terms.into_iter().map(of).collect()
}

fn is_literal(term: &Term<'_>) -> bool {
    let is_plain = |parts: &[StrPart<_, _>]| parts.iter().all(|part| !matches!(part, StrPart::Term(_)));
    matches!(term, Term::Num(_)) || matches!(term, Term::Str(None, parts) if is_plain(parts))
}

struct Allow<'s> {
    scope: Scope<'s>,
    depth: usize,
}

impl<'s> Allow<'s> {
    fn term(&mut self, term: Term<'s>) -> Result<Term<'s>, String> {
        self.depth += 1;
        if self.depth > LONGEST_CHAIN {
            return Err(format!("it has more than {LONGEST_CHAIN} steps in one chain; write several shorter expressions"));
        }
        let is_level = self.depth.is_multiple_of(LEVELS) && !is_literal(&term);
        let metered = self.own(term);
        self.depth -= 1;
        metered.map(|term| if is_level { pipe(call("_tick", Vec::new()), term) } else { term })
    }

    fn boxed(&mut self, term: Term<'s>) -> Result<Box<Term<'s>>, String> {
        self.term(term).map(Box::new)
    }

    fn own(&mut self, term: Term<'s>) -> Result<Term<'s>, String> {
        Ok(match term {
            Term::Id | Term::Num(_) => term,
            Term::Recurse => tick(call("_all", Vec::new())),
            Term::Str(format, parts) => self.text(format, parts)?,
            Term::Arr(inner) => weigh(Term::Arr(inner.map(|inner| self.boxed(*inner)).transpose()?)),
            Term::Obj(entries) => self.object(entries)?,
            Term::Neg(inner) => Term::Neg(self.boxed(*inner)?),
            Term::BinOp(left, op, right) => self.operation(*left, op, *right)?,
            Term::TryCatch(body, handler) => {
                // What is caught would be written out, with whole values in it.
                let body = call("_blank_errors", vec![self.term(*body)?]);
                Term::TryCatch(Box::new(body), handler.map(|handler| self.boxed(*handler)).transpose()?)
            }
            Term::IfThenElse(branches, rest) => {
                let branches = branches.into_iter().map(|(is_so, then)| Ok((self.term(is_so)?, self.term(then)?)));
                Term::IfThenElse(branches.collect::<Result<_, String>>()?, rest.map(|rest| self.boxed(*rest)).transpose()?)
            }
            Term::Call(name, arguments) => self.call(name, arguments)?,
            Term::Var(name) if self.scope.has_variable(name) => term,
            Term::Var(name) => return Err(unknown(name)),
            Term::Path(head, path) => self.path(*head, path)?,
            Term::Def(definitions, body) => self.definitions(definitions, *body)?,
            Term::Fold(word, source, pattern, parts) => self.fold(word, *source, pattern, parts)?,
            Term::Label(name, body) => {
                self.scope.open_label(name);
                let body = self.boxed(*body);
                self.scope.close_label();
                Term::Label(name, body?)
            }
            Term::Break(name) if self.scope.has_label(name) => term,
            Term::Break(name) => return Err(format!("it breaks out of `{}`, which is no label around it", few(name))),
        })
    }

    /// A text with values in it.
    fn text(&mut self, format: Option<&'s str>, parts: Vec<StrPart<&'s str, Term<'s>>>) -> Result<Term<'s>, String> {
        if let Some(name) = format.filter(|name| !formats::NAMES.contains(name)) {
            return Err(unknown(name));
        }
        let shown = |term| match format {
            Some(name) => formatted(name, weigh(term)),
            None => weigh(term),
        };
        let parts = parts.into_iter().map(|part| match part {
            StrPart::Term(term) => self.term(term).map(shown).map(StrPart::Term),
            StrPart::Str(_) | StrPart::Char(_) => Ok(part),
        });
        Ok(weigh(Term::Str(None, parts.collect::<Result<_, String>>()?)))
    }

    fn object(&mut self, entries: Vec<(Term<'s>, Option<Term<'s>>)>) -> Result<Term<'s>, String> {
        let entries = entries.into_iter().map(|(name, value)| match value {
            Some(value) => Ok((pipe(self.term(name)?, call("_name", Vec::new())), Some(self.term(value)?))),
            // `{name}` and `{$name}` mean something only as they are written.
            None if is_literal(&name) => Ok((name, None)),
            None if matches!(name, Term::Var(_)) => Ok((self.own(name)?, None)),
            None => Err("it makes an object with a computed key alone; write `(key): value`".to_owned()),
        });
        Ok(weigh(Term::Obj(entries.collect::<Result<_, String>>()?)))
    }

    fn operation(&mut self, left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Result<Term<'s>, String> {
        if let BinaryOp::Pipe(Some(pattern)) = op {
            let (source, (pattern, names)) = (self.boxed(left)?, self.pattern(pattern)?);
            let body = self.with(&names, |own| own.boxed(right))?;
            return Ok(Term::BinOp(source, BinaryOp::Pipe(Some(pattern)), body));
        }
        let (left, right) = (self.term(left)?, self.term(right)?);
        let both = |left, op, right| Term::BinOp(Box::new(left), op, Box::new(right));
        let by_call = |name, left, right| weigh(call(name, vec![weigh(left), weigh(right)]));
        Ok(match op {
            BinaryOp::Pipe(_) | BinaryOp::Comma | BinaryOp::Or | BinaryOp::And => both(left, op, right),
            // jaq takes all paths of the left side if there is a value at one of them.
            BinaryOp::Alt => both(pipe(left, call("_truthy", Vec::new())), op, right),
            BinaryOp::Math(Math::Mul) => by_call("_times", left, right),
            BinaryOp::Math(Math::Div) => by_call("_divided", left, right),
            BinaryOp::Math(Math::Rem) => by_call("_remainder", left, right),
            BinaryOp::Math(Math::Add | Math::Sub) => weigh(both(weigh(left), op, weigh(right))),
            BinaryOp::Cmp(_) => tick(both(weigh(left), op, weigh(right))),
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                return Err("it changes a field with `=`; write only which field is ignored, or compare with `==`".to_owned());
            }
        })
    }

    fn with<T>(&mut self, names: &[&'s str], of: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.scope.open_variables(names);
        let result = of(self);
        self.scope.close_variables(names.len());
        result
    }

    /// Returns a pattern with its meters, and the variables that it binds.
    fn pattern(&mut self, pattern: Pattern<&'s str>) -> Result<(Pattern<&'s str>, Vec<&'s str>), String> {
        Ok(match pattern {
            Pattern::Var(name) => (Pattern::Var(name), vec![name]),
            Pattern::Arr(items) => {
                let items = items.into_iter().map(|item| self.pattern(item)).collect::<Result<Vec<_>, _>>()?;
                let (items, names): (_, Vec<_>) = items.into_iter().unzip();
                (Pattern::Arr(items), names.concat())
            }
            Pattern::Obj(fields) => {
                let mut names = Vec::new();
                let fields = fields.into_iter().map(|(name, value)| {
                    let name = key(self.term(name)?);
                    let (value, own) = self.pattern(value)?;
                    names.extend(own);
                    Ok((name, value))
                });
                (Pattern::Obj(fields.collect::<Result<_, String>>()?), names)
            }
        })
    }

    /// `reduce` and `foreach`.
    fn fold(&mut self, word: &'s str, source: Term<'s>, pattern: Pattern<&'s str>, parts: Vec<Term<'s>>) -> Result<Term<'s>, String> {
        let is_whole = match word {
            "reduce" => parts.len() == 2,
            _ => (2..=3).contains(&parts.len()),
        };
        let mut parts = parts.into_iter();
        let (Some(first), true) = (parts.next(), is_whole) else {
            return Err(format!("`{word}` has not the parts that it needs; write `{word} .[] as $x (first; next)`"));
        };
        let (source, (pattern, names)) = (pipe(self.term(source)?, call("_turn", Vec::new())), self.pattern(pattern)?);
        let mut all = vec![self.term(first)?];
        for (at, part) in parts.enumerate() {
            let part = pipe(self.with(&names, |own| own.term(part))?, call("_turn", Vec::new()));
            all.push(if at == 0 && word == "reduce" { call("_last", vec![part]) } else { part });
        }
        Ok(Term::Fold(word, Box::new(source), pattern, all))
    }

    fn definitions(&mut self, definitions: Vec<Def<&'s str>>, body: Term<'s>) -> Result<Term<'s>, String> {
        let mut metered = Vec::with_capacity(definitions.len());
        for Def { name, args, body } in definitions {
            self.scope.open_function(name, &args)?;
            let body = self.term(body);
            self.scope.close_function(&args);
            metered.push(Def { name, args, body: body? });
        }
        let body = self.boxed(body);
        self.scope.forget_functions(metered.len());
        Ok(Term::Def(metered, body?))
    }

    fn call(&mut self, name: &'s str, arguments: Vec<Term<'s>>) -> Result<Term<'s>, String> {
        let own = self.scope.called(name, arguments.len());
        let cost = if own.is_none() && !(formats::NAMES.contains(&name) && arguments.is_empty()) {
            Some(allowed(name, arguments.len()).ok_or_else(|| refusal(name, arguments.len()))?)
        } else {
            None
        };
        let arguments = arguments.into_iter().map(|argument| self.term(argument)).collect::<Result<Vec<_>, _>>()?;
        Ok(match (own, cost) {
            (Some(Called::Function), _) => turn(call(name, arguments)),
            (Some(Called::ItselfWithFunctions), _) => {
                return Err(format!("`{}` calls itself with functions, which may not end; give it values, as `$x`", few(name)));
            }
            (None, None) => formatted(name, weigh(Term::Id)),
            (None, Some(Cost::Light)) => tick(pipe(tick(Term::Id), call(name, arguments))),
            (None, Some(Cost::Key)) => tick(pipe(key(Term::Id), call(name, arguments))),
            (None, Some(Cost::KeyArgument)) => tick(call(name, all(key, arguments))),
            (None, Some(Cost::Deep(own))) => weigh(pipe(weigh(Term::Id), call(own, all(weigh, arguments)))),
            (None, Some(Cost::All)) => tick(call("_all", Vec::new())),
        })
    }

    /// A path, one step after the other: each has its meter. The indices are evaluated in the same value as before.
    fn path(&mut self, head: Term<'s>, path: Path<Term<'s>>) -> Result<Term<'s>, String> {
        if path.0.len() > LONGEST_CHAIN {
            return Err(format!("it has more than {LONGEST_CHAIN} steps in one path; no object is so deep"));
        }
        let mut metered = self.term(head)?;
        for (part, opt) in path.0 {
            let mut bound = |term: Option<Term<'s>>| term.map(|term| self.term(term).map(key)).transpose();
            let part = match part {
                Part::Index(index) => Part::Index(key(self.term(index)?)),
                Part::Range(from, upto) => Part::Range(bound(from)?, bound(upto)?),
            };
            metered = tick(Term::Path(Box::new(metered), Path(vec![(part, opt)])));
        }
        Ok(metered)
    }
}

fn formatted<'s>(name: &'s str, term: Term<'s>) -> Term<'s> {
    weigh(pipe(term, call("_format", vec![Term::Str(None, vec![StrPart::Str(name)])])))
}

fn unknown(name: &str) -> String {
    format!("`{}` is nothing that an ignored difference can use; write a path, for example .spec.replicas", few(name))
}
