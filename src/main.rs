fn main() -> std::process::ExitCode {
    syncwave::main()
}
