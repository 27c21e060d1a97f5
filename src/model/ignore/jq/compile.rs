//! From the text of an expression to what is run: says what it cannot do before any object is looked at. Owns the limits of a text.

use jaq_core::load::lex::{Expect, Lexer, StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Parser, Pattern, Term};
use jaq_core::ops::{Cmp, Math};
use jaq_core::path::{Opt, Part};
use serde_json::{Number, Value};

use super::functions::{DEFINITIONS, Function};

/// Bytes of a text.
const LONGEST: usize = 4096;
/// Brackets in brackets, signs before signs, and steps of one chain: whatever makes the reading recursive.
const DEEPEST: usize = 64;
const WIDEST: usize = 100;

/// What is run.
#[derive(Debug)]
pub(super) enum Expr {
    Id,
    Recurse,
    Literal(Value),
    Text(Vec<Expr>),
    Array(Option<Box<Expr>>),
    Object(Vec<(Expr, Expr)>),
    Negative(Box<Expr>),
    Pipe(Box<Expr>, Box<Expr>),
    /// `source as $name | body`
    Bind(Box<Expr>, String, Box<Expr>),
    Comma(Box<Expr>, Box<Expr>),
    Otherwise(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Math(Math, Box<Expr>, Box<Expr>),
    Compare(Cmp, Box<Expr>, Box<Expr>),
    Try(Box<Expr>, Option<Box<Expr>>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
    Variable(String),
    Access(Box<Expr>, Box<Access>),
}

/// One step of a path: `.a`, `[0]`, `[]` or `[1:3]`.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) part: Reach,
    /// Whether it ends in `?`.
    pub(super) is_optional: bool,
}

#[derive(Debug)]
pub(super) enum Reach {
    Index(Expr),
    Each,
    /// The items from the first to before the second.
    Slice(Option<Expr>, Option<Expr>),
}

pub(super) fn compile(text: &str) -> Result<Expr, String> {
    if text.trim().is_empty() {
        return Err("it is empty; write a path, for example .spec.replicas".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} letters; write several shorter expressions"));
    }
    if nesting(text) > DEEPEST {
        return Err(format!("its brackets are more than {DEEPEST} deep; write it simpler"));
    }
    let tokens = Lexer::new(text).lex().map_err(|errors| match errors.first() {
        Some((Expect::Delim(mark), _)) => format!("it is not jq: a `{mark}` has no end"),
        Some((_, rest)) => unread(rest),
        None => unread(""),
    })?;
    if prefixes(&tokens) > WIDEST {
        return Err(format!("it has more than {WIDEST} signs and conditions; write it simpler"));
    }
    let term = Parser::new(&tokens).parse(|parser| parser.term()).map_err(|errors| match errors.first() {
        Some((expected, Some(Token(found, _)))) => format!("it is not jq: `{}` stands where jq expects: {}", few(found), expected.as_str()),
        Some((expected, None)) => format!("it is not jq: it ends where jq expects: {}", expected.as_str()),
        None => unread(""),
    })?;
    Reading { variables: Vec::new(), depth: 0, argument: None }.expr(&term)
}

fn unread(rest: &str) -> String {
    if rest.is_empty() { "it is not jq".to_owned() } else { format!("it is not jq from `{}` on", few(rest)) }
}

fn few(text: &str) -> String {
    let start: String = text.chars().take(20).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Counts what may stand before a term any number of times.
fn prefixes(tokens: &[Token<&str>]) -> usize {
    let own = |text: &str| usize::from(matches!(text, "-" | "try" | "if" | "elif" | "def" | "reduce" | "foreach" | "label" | "as"));
    let below = |kind: &Tok<&str>| match kind {
        Tok::Block(inner) => prefixes(inner),
        Tok::Str(parts) => parts
            .iter()
            .map(|part| match part {
                StrPart::Term(token) => prefixes(std::slice::from_ref(token)),
                StrPart::Str(_) | StrPart::Char(_) => 0,
            })
            .sum(),
        Tok::Word | Tok::Var | Tok::Fmt | Tok::Num | Tok::Sym => 0,
    };
    tokens.iter().map(|Token(text, kind)| own(text) + below(kind)).sum()
}

struct Reading {
    /// Names of the variables that are bound here.
    variables: Vec<String>,
    depth: usize,
    /// The argument of the definition that is read; each stands in it once.
    argument: Option<Expr>,
}

impl Reading {
    fn expr(&mut self, term: &Term<&str>) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > WIDEST {
            return Err(format!("it has more than {WIDEST} steps in one chain; write several shorter expressions"));
        }
        let expr = self.own(term);
        self.depth -= 1;
        expr
    }

    fn boxed(&mut self, term: &Term<&str>) -> Result<Box<Expr>, String> {
        self.expr(term).map(Box::new)
    }

    fn own(&mut self, term: &Term<&str>) -> Result<Expr, String> {
        Ok(match term {
            Term::Id => Expr::Id,
            Term::Recurse => Expr::Recurse,
            Term::Num(text) => Expr::Literal(number(text)?),
            Term::Str(None, parts) => self.text(parts)?,
            Term::Str(Some(name), _) => return Err(unknown(name)),
            Term::Arr(inner) => Expr::Array(inner.as_ref().map(|inner| self.boxed(inner)).transpose()?),
            Term::Obj(entries) => self.object(entries)?,
            Term::Neg(inner) => Expr::Negative(self.boxed(inner)?),
            Term::BinOp(left, op, right) => self.operation(left, op, right)?,
            Term::TryCatch(body, handler) => Expr::Try(self.boxed(body)?, handler.as_ref().map(|handler| self.boxed(handler)).transpose()?),
            Term::IfThenElse(branches, rest) => self.condition(branches, rest.as_deref())?,
            Term::Call(name, arguments) => self.call(name, arguments)?,
            Term::Var(name) if self.variables.iter().any(|known| known == name) => Expr::Variable((*name).to_owned()),
            Term::Var(name) => self.argument.take().filter(|_| *name == "$f").ok_or_else(|| unknown(name))?,
            Term::Path(head, path) => self.path(head, &path.0)?,
            Term::Def(..) => return Err("it defines functions with `def`, which an ignored difference cannot".to_owned()),
            Term::Fold(word, ..) => return Err(format!("it uses `{word}`, which an ignored difference cannot")),
            Term::Label(..) | Term::Break(_) => return Err("it uses `label` and `break`; write first(…)".to_owned()),
        })
    }

    fn text(&mut self, parts: &[StrPart<&str, Term<&str>>]) -> Result<Expr, String> {
        let mut found: Vec<Expr> = Vec::new();
        for part in parts {
            let piece = match part {
                StrPart::Str(text) => (*text).to_owned(),
                StrPart::Char(letter) => letter.to_string(),
                StrPart::Term(term) => {
                    found.push(self.expr(term)?);
                    continue;
                }
            };
            match found.last_mut() {
                Some(Expr::Literal(Value::String(text))) => text.push_str(&piece),
                Some(_) | None => found.push(Expr::Literal(Value::String(piece))),
            }
        }
        Ok(match found.pop() {
            None => Expr::Literal(Value::String(String::new())),
            Some(only @ Expr::Literal(Value::String(_))) if found.is_empty() => only,
            Some(last) => {
                found.push(last);
                Expr::Text(found)
            }
        })
    }

    fn object(&mut self, entries: &[(Term<&str>, Option<Term<&str>>)]) -> Result<Expr, String> {
        let mut found = Vec::new();
        for (key, value) in entries {
            let of_variable = |name: &str| Expr::Literal(Value::String(name.trim_start_matches('$').to_owned()));
            let own = self.expr(key)?;
            found.push(match (key, value) {
                (Term::Var(name), None) => (of_variable(name), own),
                (_, Some(value)) => (own, self.expr(value)?),
                (_, None) => {
                    let index = Access { part: Reach::Index(self.expr(key)?), is_optional: false };
                    (own, Expr::Access(Box::new(Expr::Id), Box::new(index)))
                }
            });
        }
        Ok(Expr::Object(found))
    }

    fn operation(&mut self, left: &Term<&str>, op: &BinaryOp<&str>, right: &Term<&str>) -> Result<Expr, String> {
        if let BinaryOp::Pipe(Some(pattern)) = op {
            let Pattern::Var(name) = pattern else {
                return Err("it takes a value apart with `as [` or `as {`; name it with `as $x` and use paths".to_owned());
            };
            let source = self.boxed(left)?;
            self.variables.push((*name).to_owned());
            let body = self.boxed(right);
            self.variables.pop();
            return Ok(Expr::Bind(source, (*name).to_owned(), body?));
        }
        let (left, right) = (self.boxed(left)?, self.boxed(right)?);
        Ok(match op {
            BinaryOp::Pipe(_) => Expr::Pipe(left, right),
            BinaryOp::Comma => Expr::Comma(left, right),
            BinaryOp::Alt => Expr::Otherwise(left, right),
            BinaryOp::Or => Expr::Or(left, right),
            BinaryOp::And => Expr::And(left, right),
            BinaryOp::Math(op) => Expr::Math(*op, left, right),
            BinaryOp::Cmp(op) => Expr::Compare(*op, left, right),
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                return Err("it changes a field with `=`; write only which field is ignored, or compare with `==`".to_owned());
            }
        })
    }

    fn condition(&mut self, branches: &[(Term<&str>, Term<&str>)], rest: Option<&Term<&str>>) -> Result<Expr, String> {
        let mut expr = rest.map_or(Ok(Expr::Id), |rest| self.expr(rest))?;
        for (condition, then) in branches.iter().rev() {
            expr = Expr::If(self.boxed(condition)?, self.boxed(then)?, Box::new(expr));
        }
        Ok(expr)
    }

    fn call(&mut self, name: &str, arguments: &[Term<&str>]) -> Result<Expr, String> {
        let literal = match (name, arguments.len()) {
            ("true", 0) => Some(Value::Bool(true)),
            ("false", 0) => Some(Value::Bool(false)),
            ("null", 0) => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = literal {
            return Ok(Expr::Literal(value));
        }
        if let Some((.., body)) = DEFINITIONS.iter().find(|(own, count, _)| *own == name && *count == arguments.len()) {
            return self.defined(body, arguments);
        }
        let function = Function::find(name, arguments.len()).ok_or_else(|| unknown_call(name, arguments.len()))?;
        Ok(Expr::Call(function, arguments.iter().map(|argument| self.expr(argument)).collect::<Result<_, _>>()?))
    }

    /// Reads what a name stands for; `$f` in it is the argument.
    fn defined(&mut self, body: &'static str, arguments: &[Term<&str>]) -> Result<Expr, String> {
        let argument = arguments.first().map(|argument| self.expr(argument)).transpose()?;
        let tokens = Lexer::new(body).lex().map_err(|_| unread(body))?;
        let term = Parser::new(&tokens).parse(|parser| parser.term()).map_err(|_| unread(body))?;
        let mut inner = Self { variables: Vec::new(), depth: self.depth, argument };
        inner.expr(&term)
    }

    fn path(&mut self, head: &Term<&str>, parts: &[(Part<Term<&str>>, Opt)]) -> Result<Expr, String> {
        let mut expr = self.expr(head)?;
        if parts.len() > WIDEST {
            return Err(format!("it has more than {WIDEST} steps in one path; no object is so deep"));
        }
        for (part, opt) in parts {
            let mut bound = |term: &Option<Term<&str>>| term.as_ref().map(|term| self.expr(term)).transpose();
            let part = match part {
                Part::Index(index) => Reach::Index(self.expr(index)?),
                Part::Range(None, None) => Reach::Each,
                Part::Range(from, upto) => Reach::Slice(bound(from)?, bound(upto)?),
            };
            let access = Access { part, is_optional: matches!(opt, Opt::Optional) };
            expr = Expr::Access(Box::new(expr), Box::new(access));
        }
        Ok(expr)
    }
}

fn number(text: &str) -> Result<Value, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(Value::from(whole));
    }
    let parsed = text.parse::<f64>().ok().and_then(Number::from_f64);
    parsed.map(Value::Number).ok_or_else(|| format!("`{}` is not a number", few(text)))
}

fn unknown(name: &str) -> String {
    format!("`{}` is nothing that an ignored difference can use", few(name))
}

fn unknown_call(name: &str, arguments: usize) -> String {
    match Function::arities(name) {
        arities if arities.is_empty() => format!("`{}` is no function that an ignored difference can use", few(name)),
        arities => {
            let arities: Vec<String> = arities.iter().map(ToString::to_string).collect();
            format!("`{name}` takes {} arguments, not {arguments}", arities.join(" or "))
        }
    }
}
