//! Which names an expression has bound where: variables, labels, functions. Knows names; must not know what they stand for.

use super::text::few;

#[derive(Default)]
pub(super) struct Scope<'s> {
    variables: Vec<&'s str>,
    labels: Vec<&'s str>,
    functions: Vec<Function<'s>>,
}

struct Function<'s> {
    name: &'s str,
    arguments: usize,
    /// Some of its arguments are functions, not values.
    takes_functions: bool,
    /// What is read is its own body.
    is_open: bool,
}

/// What a name of an expression's own means where it is called.
#[derive(Clone, Copy)]
pub(super) enum Called {
    Function,
    /// With each call the functions would be made of those of the call before, deeper and deeper.
    ItselfWithFunctions,
}

impl<'s> Scope<'s> {
    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.variables.contains(&name)
    }

    pub(super) fn open_variables(&mut self, names: &[&'s str]) {
        self.variables.extend(names);
    }

    pub(super) fn close_variables(&mut self, count: usize) {
        self.variables.truncate(self.variables.len().saturating_sub(count));
    }

    pub(super) fn has_label(&self, name: &str) -> bool {
        self.labels.contains(&name)
    }

    pub(super) fn open_label(&mut self, name: &'s str) {
        self.labels.push(name);
    }

    pub(super) fn close_label(&mut self) {
        self.labels.pop();
    }

    /// Returns what a call means if the expression itself has defined it.
    pub(super) fn called(&self, name: &str, arguments: usize) -> Option<Called> {
        let found = self.functions.iter().rev().find(|own| own.name == name && own.arguments == arguments)?;
        Some(if found.is_open && found.takes_functions { Called::ItselfWithFunctions } else { Called::Function })
    }

    /// Binds a function and its arguments for its own body.
    pub(super) fn open_function(&mut self, name: &'s str, arguments: &[&'s str]) -> Result<(), String> {
        // The meters have names that begin so: an expression that could name them so could replace them.
        let is_reserved = |name: &&&str| !name.trim_start_matches('$').starts_with(|letter: char| letter.is_ascii_alphabetic());
        if let Some(name) = [name].iter().chain(arguments).find(is_reserved) {
            return Err(format!("it defines `{}`; choose a name that begins with a letter", few(name)));
        }
        let takes_functions = arguments.iter().any(|argument| !argument.starts_with('$'));
        self.functions.push(Function { name, arguments: arguments.len(), takes_functions, is_open: true });
        for argument in arguments {
            if argument.starts_with('$') {
                self.variables.push(argument);
            } else {
                self.functions.push(Function { name: argument, arguments: 0, takes_functions: false, is_open: false });
            }
        }
        Ok(())
    }

    /// Leaves a function's body: it can be called from here on.
    pub(super) fn close_function(&mut self, arguments: &[&'s str]) {
        let values = arguments.iter().filter(|argument| argument.starts_with('$')).count();
        self.close_variables(values);
        self.forget_functions(arguments.len() - values);
        if let Some(own) = self.functions.last_mut() {
            own.is_open = false;
        }
    }

    pub(super) fn forget_functions(&mut self, count: usize) {
        self.functions.truncate(self.functions.len().saturating_sub(count));
    }
}
