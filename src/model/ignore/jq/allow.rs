//! What an expression may do. Goes through its terms, refuses what need not end, grows without bound, changes values or reaches outside, and
//! puts a meter behind whatever makes values, so that the evaluator, which cannot be interrupted, ends when the steps are used up.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern};
use jaq_core::ops::{Cmp, Math};
use jaq_core::path::{Part, Path};

use super::calls::{Cost, allowed, refusal};
use super::formats;
use super::scope::{Called, Scope};
use super::text::few;

pub(super) type Term<'s> = jaq_core::load::parse::Term<&'s str>;

/// Steps of one chain, each of which is a level of the evaluator's recursion.
const LONGEST_CHAIN: usize = 100;
/// Digits of a number, which is read again each time.
const LONGEST_NUMBER: usize = 100;
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
    if matches!(term, Term::Num(_)) { term } else { pipe(term, call("_weigh", Vec::new())) }
}

/// Counts one side of a comma, which may stay a call at the end; what is itself a comma counts its own.
fn choice(term: Term<'_>) -> Term<'_> {
    if matches!(term, Term::BinOp(_, BinaryOp::Comma, _)) { term } else { pipe(call("_tick", Vec::new()), term) }
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
    /// Goes to a part that the evaluator reaches only through so many others.
    fn deeper(&mut self, levels: usize) -> Result<(), String> {
        self.depth += levels;
        if self.depth > LONGEST_CHAIN {
            return Err(format!("it has more than {LONGEST_CHAIN} steps in one chain; write several shorter expressions"));
        }
        Ok(())
    }

    /// Goes through parts that the evaluator nests in each other, one level for each after the first.
    fn nested<T, R>(&mut self, parts: Vec<T>, mut of: impl FnMut(&mut Self, T) -> Result<R, String>) -> Result<Vec<R>, String> {
        let depth = self.depth;
        let levels = parts.into_iter().enumerate();
        let done = levels.map(|(at, part)| self.deeper(usize::from(at > 0)).and_then(|()| of(self, part))).collect();
        self.depth = depth;
        done
    }

    fn term(&mut self, term: Term<'s>) -> Result<Term<'s>, String> {
        self.deeper(1)?;
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
            Term::Num(digits) if digits.len() > LONGEST_NUMBER => {
                return Err(format!("it has a number of more than {LONGEST_NUMBER} digits; write a shorter one"));
            }
            Term::Num(digits) if !digits.bytes().all(|digit| digit.is_ascii_digit()) => pipe(term, call("_number", Vec::new())),
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
                let (depth, count) = (self.depth, branches.len());
                let branches = self.nested(branches, |own, (is_so, then)| Ok((own.term(is_so)?, own.term(then)?)))?;
                self.deeper(count.saturating_sub(1))?;
                let rest = rest.map(|rest| self.boxed(*rest)).transpose()?;
                self.depth = depth;
                Term::IfThenElse(branches, rest)
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
            None => pipe(weigh(term), call("_to_text", Vec::new())),
        };
        let parts = self.nested(parts, |own, part| match part {
            StrPart::Term(term) => own.term(term).map(shown).map(StrPart::Term),
            StrPart::Str(_) | StrPart::Char(_) => Ok(part),
        })?;
        Ok(weigh(Term::Str(None, parts)))
    }

    fn object(&mut self, entries: Vec<(Term<'s>, Option<Term<'s>>)>) -> Result<Term<'s>, String> {
        let entries = self.nested(entries, |own, (name, value)| match value {
            Some(value) => Ok((pipe(own.term(name)?, call("_name", Vec::new())), Some(own.term(value)?))),
            // `{name}` and `{$name}` mean something only as they are written.
            None if is_literal(&name) => Ok((name, None)),
            None if matches!(name, Term::Var(_)) => Ok((own.own(name)?, None)),
            None => Err("it makes an object with a computed key alone; write `(key): value`".to_owned()),
        })?;
        Ok(weigh(Term::Obj(entries)))
    }

    fn operation(&mut self, left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Result<Term<'s>, String> {
        if let BinaryOp::Pipe(Some(pattern)) = op {
            let (source, (pattern, names)) = (self.term(left)?, self.pattern(pattern)?);
            let source = if let Pattern::Var(_) = pattern { source } else { pipe(source, call("_turn", Vec::new())) };
            let body = self.with(&names, |own| own.boxed(right))?;
            return Ok(Term::BinOp(Box::new(source), BinaryOp::Pipe(Some(pattern)), body));
        }
        let (left, right) = (self.term(left)?, self.term(right)?);
        let both = |left, op, right| Term::BinOp(Box::new(left), op, Box::new(right));
        // jq goes through all of the left side for each on the right.
        let by_call = |name, left, right| weigh(call(name, vec![right, left]));
        Ok(match op {
            BinaryOp::Comma => both(choice(left), op, choice(right)),
            BinaryOp::Pipe(_) | BinaryOp::Or | BinaryOp::And => both(left, op, right),
            // jaq takes all paths of the left side if there is a value at one of them.
            BinaryOp::Alt => both(pipe(left, call("_truthy", Vec::new())), op, right),
            BinaryOp::Math(Math::Mul) => by_call("_times", left, right),
            BinaryOp::Math(Math::Div) => by_call("_divided", left, right),
            BinaryOp::Math(Math::Rem) => by_call("_remainder", left, right),
            BinaryOp::Math(Math::Add) => by_call("_plus", left, right),
            BinaryOp::Math(Math::Sub) => by_call("_minus", left, right),
            BinaryOp::Cmp(Cmp::Eq) => by_call("_is", left, right),
            BinaryOp::Cmp(Cmp::Ne) => by_call("_is_not", left, right),
            BinaryOp::Cmp(Cmp::Lt) => by_call("_below", left, right),
            BinaryOp::Cmp(Cmp::Le) => by_call("_up_to", left, right),
            BinaryOp::Cmp(Cmp::Gt) => by_call("_above", left, right),
            BinaryOp::Cmp(Cmp::Ge) => by_call("_from", left, right),
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
                let items = self.nested(items, Self::pattern)?;
                let (items, names): (_, Vec<_>) = items.into_iter().unzip();
                (Pattern::Arr(items), names.concat())
            }
            Pattern::Obj(fields) => {
                let mut names = Vec::new();
                let fields = self.nested(fields, |own, (name, value)| {
                    let name = key(own.term(name)?);
                    let (value, bound) = own.pattern(value)?;
                    names.extend(bound);
                    Ok((name, value))
                })?;
                (Pattern::Obj(fields), names)
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
        let arguments = self.nested(arguments, Self::term)?;
        Ok(match (own, cost) {
            (Some(Called::Function), _) => turn(call(name, arguments)),
            (Some(Called::ItselfWithFunctions), _) => {
                return Err(format!("`{}` calls itself with functions, which may not end; give it values, as `$x`", few(name)));
            }
            (None, None) => formatted(name, weigh(Term::Id)),
            (None, Some(Cost::Light)) => tick(pipe(tick(Term::Id), call(name, arguments))),
            (None, Some(Cost::Made)) => weigh(pipe(tick(Term::Id), call(name, arguments))),
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
        let depth = self.depth;
        self.deeper(path.0.len().saturating_sub(1))?;
        let mut metered = self.term(head)?;
        // What is gone through is copied first.
        if matches!(path.0.first(), Some((Part::Range(..), _))) {
            metered = tick(metered);
        }
        for (part, opt) in path.0 {
            let mut bound = |term: Option<Term<'s>>| term.map(|term| self.term(term).map(key)).transpose();
            let part = match part {
                Part::Index(index) => Part::Index(key(self.term(index)?)),
                Part::Range(from, upto) => Part::Range(bound(from)?, bound(upto)?),
            };
            self.depth = self.depth.saturating_sub(1).max(depth);
            metered = tick(Term::Path(Box::new(metered), Path(vec![(part, opt)])));
        }
        self.depth = depth;
        Ok(metered)
    }
}

fn formatted<'s>(name: &'s str, term: Term<'s>) -> Term<'s> {
    weigh(pipe(term, call("_format", vec![Term::Str(None, vec![StrPart::Str(name)])])))
}

fn unknown(name: &str) -> String {
    format!("`{}` is nothing that an ignored difference can use; write a path, for example .spec.replicas", few(name))
}
