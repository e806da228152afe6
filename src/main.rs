fn main() -> std::process::ExitCode {
    agentctl::run()
}
