import FoundationEssentials
import Glibc
import SandpoolTestSupport
import Testing

/// The same faults where the pool is inside the command.
@Suite(.enabled(if: geteuid() == 0, "sandboxes need root"), .serialized, .timeLimit(.minutes(2)))
struct LocalFaultTests {
    @Test func refusalsAndCommandsThatCannotRun() throws {
        let directory = try TemporaryDirectory()
        let environment = ["SANDPOOL_DATA_DIR": directory.path]
        for (arguments, code, expected) in [
            // The first of all: this host's worker must be known before it can be said what it cannot run.
            (["--cpus", "1000"], 125, "no worker is large enough: cpus: 1000.0 wanted, there are "),
            (["--disk", "10TiB"], 125, "no worker is large enough: disk: 10TiB wanted, there are "),
            (["--image", "Bad Image"], 125, "image: 'Bad Image' is not an image; use host"),
            (["--require", "zone=moon"], 125, "require: no worker has zone=moon"),
        ] as [([String], Int32, String)] {
            let result = try Program.run(["run", "--local"] + arguments + ["--", "true"], environment: environment)
            #expect(result.status == code)
            #expect(result.lines.count == 1, "\(result.stderr)")
            #expect(result.stderr.contains(expected), "\(result.stderr)")
        }
        #expect(try Program.run(["ls", "-a", "--local", "--json"], environment: environment).stdout.isEmpty)
        for (command, code, expected) in [
            ("no-such-program", 127, "no-such-program: command not found"),
            ("/etc/passwd", 126, "/etc/passwd: cannot be executed: permission denied"),
        ] as [(String, Int32, String)] {
            let result = try Program.run(
                ["run", "--local", "--block-network", "--", command], environment: environment)
            #expect(result.status == code)
            #expect(result.stderr == "sandpool: \(expected)\n")
        }
        LauncherTraces.end("\(directory.path)/local/worker/launcher")
    }

    @Test(arguments: [["run", "--local", "--", "true"], ["ls", "--local"]])
    func aDirectoryOfANewerVersion(_ arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        let data = "\(directory.path)/local/coordinator"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try Data("99\n".utf8).write(to: URL(filePath: "\(data)/version"))
        let result = try Program.run(arguments, environment: ["SANDPOOL_DATA_DIR": directory.path])
        #expect(result.status == 125)
        #expect(result.lines.count == 1, "\(result.stderr)")
        #expect(result.stderr.contains("\(data) has the format 99, and this Sandpool knows 1; upgrade Sandpool"))
    }

    @Test func somebodyElsesDirectory() throws {
        let directory = try TemporaryDirectory()
        let nobody = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", Program.path]
        let result = try RunningProgram(
            nobody + ["ls", "--local"], environment: ["SANDPOOL_DATA_DIR": "\(directory.path)/x"]
        ).waitForEnd()
        #expect(result.status == 125)
        #expect(
            result.stderr == "sandpool: cannot make \(directory.path)/x: Permission denied; "
                + "set SANDPOOL_DATA_DIR to a directory of your own\n")
    }
}
