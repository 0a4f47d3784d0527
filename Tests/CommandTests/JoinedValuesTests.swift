import ArgumentParser
import SandpoolModel
import Testing

@testable import SandpoolCommands

@Suite struct JoinedValuesTests {
    private static let execRest = ["-i", "-w", "/d", "id", "--", "x", "-eK"]

    @Test(arguments: [
        (["run", "-eK=V", "--", "true"], ["run", "-e", "K=V", "--", "true"]),
        (["run", "-eK", "-w/dir", "-u1000", "x"], ["run", "-e", "K", "-w", "/dir", "-u", "1000", "x"]),
        (["submit", "-eA=-b=c", "--", "x"], ["submit", "-e", "A=-b=c", "--", "x"]),
        (["exec", "-eA=b", "-i", "-w/d", "id", "--", "x", "-eK"], ["exec", "-e", "A=b"] + execRest),
        (["run", "--block-network", "-v", "-eK=V", "x"], ["run", "--block-network", "-v", "-e", "K=V", "x"]),
    ])
    func areTakenApart(_ arguments: [String], _ expected: [String]) {
        #expect(JoinedValues.split(arguments) == expected)
    }

    @Test(arguments: [
        [], ["run"], ["ls", "-eK=V"], ["run", "--", "-eK=V"], ["run", "echo", "-eK=V"], ["run", "-e=K=V", "--", "x"],
        ["run", "--name", "-eK", "--", "x"], ["run", "--memory=1g", "echo", "-wx"], ["run", "-it", "--", "sh"],
        ["run", "-e", "-wx", "--", "x"], ["run", "-", "-eK"],
    ])
    func allElseStaysAsItIs(_ arguments: [String]) {
        #expect(JoinedValues.split(arguments) == arguments)
    }

    @Test func theSpecIsThatOfSeparateValues() throws {
        let words = ["run", "-eA=1", "-eB=x=y", "-eC=", "-w/repo", "-u1000", "-i", "--", "true", "-eD=1"]
        let run = try #require(try RootCommand.parseAsRoot(JoinedValues.split(words)) as? Run)
        let spec = try run.job.spec(policy: .cancel)
        #expect(spec.environment == ["A": "1", "B": "x=y", "C": ""])
        #expect(spec.workingDirectory == "/repo")
        #expect(spec.user == "1000")
        #expect(spec.command == ["true", "-eD=1"])
        #expect(run.passesInput)
    }

    /// What is told from the help must be what the options say of themselves.
    @Test func optionsWithValuesAreKnown() {
        let names = OptionNames(of: Run.self)
        #expect(names.valued.isSuperset(of: ["-e", "--env", "-w", "--workdir", "-u", "--user", "--name", "--memory"]))
        #expect(names.valued.isDisjoint(with: ["-i", "-v", "--verbose", "--local", "--block-network", "-h", "--help"]))
        #expect(names.all.isSuperset(of: ["-i", "-v", "--verbose", "--local", "--block-network", "--help"]))
    }
}
