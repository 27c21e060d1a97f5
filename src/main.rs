//! The program: hands everything to the library, which can be tested.

fn main() -> std::process::ExitCode {
    syncwave::main()
}
