import Testing

/// Misuse is 125 and one line that says what to do, whatever it is.
@Suite(.timeLimit(.minutes(1))) struct UsageTests {
    @Test(arguments: [
        (["run", "--memry", "1g", "--", "true"], "unknown option '--memry', did you mean --memory?"),
        (["run", "--memory", "1x", "--", "true"], "'1x' is not a size"),
        (["run", "--timeout", "soon", "--", "true"], "'soon' is not a duration"),
        (["run", "--cpus", "0", "--", "true"], "not a number above 0"),
        (["run", "--tag", "x", "--", "true"], "'x' is not a pair"),
        (["run", "--mount", "a", "--", "true"], "write LOCAL:REMOTE"),
        (["run", "--mount", "a:b", "--", "true"], "'b' is not an absolute path"),
        (["run", "--mount", "a:/proc/x", "--", "true"], "/proc is the sandbox's own"),
        (["run", "--on-disconnect", "explode", "--", "true"], "'cancel' and 'detach'"),
        (["run", "--rerun", "maybe", "--", "true"], "'safe' and 'never'"),
        (["run", "-e", "=x", "--", "true"], "'' is not the name of a variable"),
        (["run", "--env-file", "/nonexistent", "--", "true"], "cannot read /nonexistent"),
        (["run", "-it", "--", "sh"], "'-t'"),
        (["exec"], "Missing expected argument"),
        (["exec", "x"], "the command is missing"),
        (["exec", "x", "--"], "the command is missing"),
        (["exec", "--", "ls"], "the command is missing"),
        (["exec", "x", "--", ""], "the command is missing"),
        (["exec", "x", "--workdr", "/", "--", "ls"], "unknown option '--workdr', did you mean --workdir?"),
        (["exec", "--workdr", "/", "x", "--", "ls"], "--workdr"),
        (["exec", "-t", "x", "--", "sh"], "terminals are not built; leave out -t"),
        (["exec", "-it", "x", "--", "sh"], "terminals are not built; leave out -t"),
        (["exec", "--timeout", "soon", "x", "--", "ls"], "'soon' is not a duration"),
        (["exec", "-e", "=x", "x", "--", "ls"], "'' is not the name of a variable"),
        (["exec", "--memory", "1g", "x", "--", "ls"], "--memory"),
        (["run", "--volume", "v:/v", "--", "true"], "unknown option '--volume'"),
        (["run"], "the command is missing"),
        (["run", "--"], "the command is missing"),
        (["run", "--", ""], "the command is missing"),
        (["submit", "--download", "/a:b", "--", "true"], "use run"),
        (["rn"], "unknown command 'rn', did you mean run?"),
        (["worker", "sho"], "unknown command 'sho', did you mean show?"),
        (["\u{1B}[31mred"], "\\u{1b}[31mred"),
        (["--frob"], "--frob"),
        (["ls", "extra"], "extra"),
        (["ls", "--state", "done"], "queued, starting, running"),
        (["logs", "--since", "yesterday", "x"], "'yesterday' is not a moment; write how long ago, such as 10m"),
        (["worker", "drain", "--deadline", "soon", "x"], "'soon' is not a duration"),
        (["wait"], "Missing expected argument"),
        (["completions", "tcsh"], "bash, zsh and fish"),
        (["token", "create", "--role", "king", "x"], "'admin', 'submit', 'read' or 'worker'"),
        (["coordinator", "start", "--listen", "nowhere"], "HOST:PORT"),
        (["coordinator", "start", "--listen", "0.0.0.0:0", "--data-dir", "/nonexistent/x"], "--insecure-http"),
        (["worker", "start", "--coordinator", "nowhere"], "http://HOST:7420"),
    ])
    func isOneLine(_ arguments: [String], _ expected: String) throws {
        let result = try Program.run(arguments)
        #expect(result.status == 125)
        #expect(result.stdout.isEmpty)
        #expect(result.lines.count == 1)
        #expect(result.stderr.contains(expected), "\(result.stderr)")
    }

    @Test(arguments: [
        ["run", "--", "true"], ["submit", "--", "true"], ["ls"], ["show", "x"], ["why", "x"], ["logs", "x"],
        ["wait", "x"], ["cancel", "x"], ["exec", "x", "--", "true"], ["worker", "ls"], ["worker", "show", "x"],
        ["worker", "drain", "x"], ["token", "ls"], ["token", "create", "--role", "read", "x"],
        ["token", "revoke", "x"],
    ])
    func withoutACoordinatorNamesLocal(_ arguments: [String]) throws {
        let result = try Program.run(arguments, environment: ["SANDPOOL_URL": "unix:/nonexistent/socket"])
        #expect(result.status == 125)
        #expect(
            result.stderr
                == "sandpool: cannot reach coordinator at unix:/nonexistent/socket: no such socket; "
                + "start it, or try --local\n"
        )
    }

    @Test(arguments: [
        (["SANDPOOL_URL": "https://example.org"], "TLS"),
        (["SANDPOOL_URL": "nonsense"], "http://HOST:PORT"),
        (["SANDPOOL_TOKEN": "a b"], "SANDPOOL_TOKEN"),
        (["SANDPOOL_TOKEN": "a\r\nx: y"], "SANDPOOL_TOKEN"),
        (["SANDPOOL_TOKEN_FILE": "/nonexistent"], "cannot read /nonexistent"),
    ])
    func wrongEnvironmentIsNamed(_ environment: [String: String], _ expected: String) throws {
        let result = try Program.run(["ls"], environment: environment)
        #expect(result.status == 125)
        #expect(result.lines.count == 1)
        #expect(result.stderr.contains(expected))
    }
}
