//! Makes `continue` or `return` of the `goto` that gopher-lua has and Luau has not. Only one use of it can be translated, and it is the one
//! that health scripts know: a jump to a label behind which nothing comes in the loop or function. Every line keeps its number.

use std::borrow::Cow;

use super::tokens::{Token, tokens};
use super::vm::Fault;

/// A part of the program whose end is still to come.
struct Block<'a> {
    kind: Kind,
    /// The `goto`s in it whose label is still to come, those of inner blocks that are neither loops nor functions included.
    jumps: Vec<Jump<'a>>,
    /// Those that lead to where the block has been read to.
    landed: Vec<Jump<'a>>,
    /// Those of the branches that are over: they lead to the end of the block.
    ended: Vec<Jump<'a>>,
    /// Those of the branches that are over whose label is outside.
    passed: Vec<Jump<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Between `while` or `for` and its `do`.
    Head,
    Loop,
    /// A `do` or `if`, from which `continue` reaches the loop around it.
    Plain,
    /// A function, or the program itself.
    Function,
}

struct Jump<'a> {
    label: &'a str,
    start: usize,
    end: usize,
    /// Nothing follows it in its block, so that `continue` may stand there.
    is_last: bool,
}

/// What replaces a range of the text.
type Edit = (usize, usize, &'static str);

/// Returns the program without `goto` and labels.
///
/// # Errors
/// A `goto` is neither, or the program has more ends than beginnings.
pub(super) fn without_goto(source: &str) -> Result<Cow<'_, str>, Fault> {
    if !source.contains("goto") && !source.contains("::") {
        return Ok(Cow::Borrowed(source));
    }
    let mut edits = Reader::new(source).read()?;
    if edits.is_empty() {
        return Ok(Cow::Borrowed(source));
    }
    edits.sort_unstable();
    let mut text = String::with_capacity(source.len() + 32);
    let mut from = 0;
    for (start, end, replacement) in edits {
        text += &source[from..start];
        text += replacement;
        text.extend(source[start..end].chars().filter(|letter| *letter == '\n'));
        from = end;
    }
    text += &source[from..];
    Ok(Cow::Owned(text))
}

struct Reader<'a> {
    source: &'a str,
    tokens: Vec<Token<'a>>,
    blocks: Vec<Block<'a>>,
    edits: Vec<Edit>,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, tokens: tokens(source), blocks: vec![Block::new(Kind::Function)], edits: Vec::new() }
    }

    fn read(mut self) -> Result<Vec<Edit>, Fault> {
        let mut at = 0;
        while at < self.tokens.len() {
            at += self.statement(at)?;
        }
        while let Some(block) = self.blocks.pop() {
            self.close(block)?;
        }
        Ok(self.edits)
    }

    /// Reads on at a word, and returns how many words that were.
    fn statement(&mut self, at: usize) -> Result<usize, Fault> {
        if let Some(label) = self.label(at) {
            self.top()?.land(label);
            self.edits.push((self.tokens[at].start, self.tokens[at + 2].end(), " "));
            return Ok(3);
        }
        if let Some(jump) = self.jump(at) {
            self.go_on()?;
            self.top()?.jumps.push(jump);
            return Ok(2);
        }
        let word = if self.is_field(at) { "" } else { self.tokens[at].text };
        match word {
            "end" | "until" => {
                let block = self.blocks.pop().filter(|_| !self.blocks.is_empty());
                self.close(block.ok_or_else(|| self.fault(at, format!("`{word}` ends nothing")))?)?;
            }
            // Each branch of an `if` is a block of its own.
            "else" | "elseif" => self.top()?.end_branch(),
            ";" => {}
            _ => self.go_on()?,
        }
        match word {
            "while" | "for" => self.blocks.push(Block::new(Kind::Head)),
            "do" if self.top()?.kind == Kind::Head => self.top()?.kind = Kind::Loop,
            "do" | "if" => self.blocks.push(Block::new(Kind::Plain)),
            "repeat" => self.blocks.push(Block::new(Kind::Loop)),
            "function" => self.blocks.push(Block::new(Kind::Function)),
            _ => {}
        }
        Ok(1)
    }

    /// Something follows, so what has landed here is neither `continue` nor `return`.
    fn go_on(&mut self) -> Result<(), Fault> {
        let Some(jump) = self.top()?.landed.pop() else { return Ok(()) };
        Err(self.not_understood(&jump))
    }

    /// Ends a block: its `goto`s are settled if it is a loop or a function, and concern the block around it otherwise.
    fn close(&mut self, mut block: Block<'a>) -> Result<(), Fault> {
        block.end_branch();
        let words = match block.kind {
            Kind::Loop => ["continue", "do continue end"],
            Kind::Function => ["return", "do return end"],
            Kind::Head | Kind::Plain => {
                let outer = self.top()?;
                outer.jumps.extend(block.passed);
                outer.landed.extend(block.ended);
                return Ok(());
            }
        };
        if let Some(jump) = block.passed.first() {
            return Err(self.not_understood(jump));
        }
        self.edits.extend(block.ended.iter().map(|jump| (jump.start, jump.end, words[usize::from(!jump.is_last)])));
        Ok(())
    }

    fn not_understood(&self, jump: &Jump<'_>) -> Fault {
        let label = jump.label;
        let problem =
            format!("`goto {label}` is understood only where nothing comes behind `::{label}::` in the loop or function around it");
        Fault::new(Some(self.line(jump.start)), problem)
    }

    fn top(&mut self) -> Result<&mut Block<'a>, Fault> {
        self.blocks.last_mut().ok_or_else(|| Fault::new(None, "an `end` ends nothing"))
    }

    fn label(&self, at: usize) -> Option<&'a str> {
        let [open, name, close, ..] = self.tokens.get(at..)? else { return None };
        (open.text == "::" && name.is_name && close.text == "::").then_some(name.text)
    }

    /// Returns the jump at a word. A variable of the name `goto` has no name behind it, and a field has a dot before it.
    fn jump(&self, at: usize) -> Option<Jump<'a>> {
        let [word, name, ..] = self.tokens.get(at..)? else { return None };
        if word.text != "goto" || !name.is_name || self.is_field(at) {
            return None;
        }
        let next = self.tokens[at + 2..].iter().find(|token| token.text != ";").map(|token| token.text);
        let is_last = matches!(next, None | Some("end" | "else" | "elseif" | "until"));
        Some(Jump { label: name.text, start: word.start, end: name.end(), is_last })
    }

    fn is_field(&self, at: usize) -> bool {
        let is = |back: usize, sign: &str| at.checked_sub(back).is_some_and(|at| self.tokens[at].text == sign);
        (is(1, ".") && !is(2, ".")) || is(1, ":")
    }

    fn line(&self, start: usize) -> usize {
        1 + self.source[..start].bytes().filter(|byte| *byte == b'\n').count()
    }

    fn fault(&self, at: usize, problem: String) -> Fault {
        Fault::new(Some(self.line(self.tokens[at].start)), problem)
    }
}

impl<'a> Block<'a> {
    fn new(kind: Kind) -> Self {
        Self { kind, jumps: Vec::new(), landed: Vec::new(), ended: Vec::new(), passed: Vec::new() }
    }

    /// A label is here.
    fn land(&mut self, label: &str) {
        self.landed.extend(self.jumps.extract_if(.., |jump| jump.label == label));
    }

    fn end_branch(&mut self) {
        self.ended.append(&mut self.landed);
        self.passed.append(&mut self.jumps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goto_to_the_end_of_its_loop_is_a_continue_and_every_line_keeps_its_number() {
        for (source, expected) in [
            (
                "for i = 1, 2 do\n  if i == 1 then goto next end\n  x = i\n  ::next::\nend",
                "for i = 1, 2 do\n  if i == 1 then continue end\n  x = i\n   \nend",
            ),
            ("while a() do goto x; b() ::x:: end", "while a() do do continue end; b()   end"),
            ("repeat if a then goto x else goto x end ::x:: until b", "repeat if a then continue else continue end   until b"),
            ("for _ in p do goto\n\nx ::x:: end", "for _ in p do do continue end\n\n   end"),
            ("for _ in p do goto x ::x:: ; ::y:: ; end", "for _ in p do do continue end   ;   ; end"),
            (
                "while f(function() while a do b() end end) do goto x ::x:: end",
                "while f(function() while a do b() end end) do do continue end   end",
            ),
            (
                "for _ in p do for _ in q do goto x ::x:: end goto x ::x:: end",
                "for _ in p do for _ in q do do continue end   end do continue end   end",
            ),
            (
                "for _ in p do do goto x end s = 'goto x' -- goto x\n ::x:: end",
                "for _ in p do do continue end s = 'goto x' -- goto x\n   end",
            ),
            ("::unused:: return 1", "  return 1"),
            (
                "for _ in p do if a then if b then goto x end c() ::x:: end end",
                "for _ in p do if a then if b then continue end c()   end end",
            ),
            (
                "for _ in p do if a then goto x; b() ::x:: elseif c then goto y; d() ::y:: else e() end ; end",
                "for _ in p do if a then do continue end; b()   elseif c then do continue end; d()   else e() end ; end",
            ),
            ("if a then goto done end b() ::done::", "if a then return end b()  "),
            ("function f() goto x; b() do ::y:: end ::x:: end", "function f() do return end; b() do   end   end"),
            ("t.goto = 1 s = '::x::'", "t.goto = 1 s = '::x::'"),
            ("local goto = 1", "local goto = 1"),
        ] {
            assert_eq!(without_goto(source).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn every_other_goto_is_refused_with_its_line() {
        for (source, line) in [
            ("goto done\n::done::\nx = 1", 1),
            ("for _ in p do\n if a then\n  goto x\n  ::x::\n end\n b()\nend", 3),
            ("for _ in p do\n if a then\n  goto x\n else\n  ::x::\n end\nend", 3),
            ("for _ in p do\n if a then\n  goto x\n  ::x::\n  b()\n else\n  c()\n end\nend", 3),
            ("\nfor _ in p do\n goto x\n ::x::\n y = 1\nend", 3),
            ("for _ in p do\n ::x::\n goto x\nend", 3),
            ("for _ in p do\n for _ in q do\n  goto x\n end\n ::x::\nend", 3),
            ("for _ in p do\n f(function()\n goto x\n end)\n ::x::\nend", 3),
            ("for _ in p do\n goto y\n ::x::\nend", 2),
            ("for _ in p do\n goto x\n if a then ::x:: end\nend", 2),
            ("while a do goto x ::x:: end\nend", 2),
            ("until x goto y", 1),
        ] {
            let fault = without_goto(source).unwrap_err();
            assert_eq!(fault.line, Some(line), "{source}: {fault:?}");
        }
    }
}
