import Foundation
import SandpoolSandbox
import Testing

/// Real programs go on working behind the filter, as far as the host has them; what is lost is lost on purpose.
@Suite struct ProgramTests {
    struct Program: CustomTestStringConvertible, Sendable {
        var name: String
        var path: String
        var script: String
        var output: String
        var capabilities = SandboxPlan.CapabilityProfile.run
        var testDescription: String { name }
    }

    private static let programs = [
        Program(
            name: "python", path: "/usr/bin/python3",
            script: """
                python3 -c '
                import asyncio, multiprocessing, sqlite3, subprocess, tempfile, threading
                from multiprocessing import shared_memory
                thread = threading.Thread(target=int); thread.start(); thread.join()
                async def child():
                    process = await asyncio.create_subprocess_exec("true")
                    return await process.wait()
                assert asyncio.run(child()) == 0
                assert subprocess.check_output(["echo", "x"]) == b"x\\n"
                with multiprocessing.Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
                memory = shared_memory.SharedMemory(create=True, size=64); memory.unlink()
                base = sqlite3.connect("/tmp/base")
                base.execute("pragma journal_mode=wal")
                base.execute("create table t(c)")
                print("python")'
                """, output: "python\n"),
        Program(
            name: "git", path: "/usr/bin/git",
            script: """
                git init -q r && cd r && echo x > x && git add x
                git -c user.name=a -c user.email=b commit -qm x && git gc -q && git log --format=%s
                """, output: "x\n"),
        Program(
            name: "compiler and make", path: "/usr/bin/g++",
            script: """
                cat > a.cc <<END
                #include <cstdio>
                #include <thread>
                int main() { std::thread thread([] { puts("c"); }); thread.join(); }
                END
                printf 'a: a.cc\\n\\tg++ -O1 -pthread -o a a.cc\\n' > Makefile
                make -s -j2 && ./a
                """, output: "c\n"),
        Program(
            name: "node", path: "/usr/bin/node",
            script: """
                node -e 'new (require("worker_threads").Worker)("1", {eval: true}).on("exit", code =>
                    require("child_process").exec("echo node", (error, text) => process.stdout.write(text)))'
                """, output: "node\n"),
        Program(
            name: "a terminal and a pipe by name", path: "/usr/bin/script",
            script: "script -qec tty /dev/null | tr -d '\\r'; mkfifo p; echo x > p & cat p", output: "/dev/pts/0\nx\n"),
        Program(
            name: "what packages do in a build", path: "/usr/sbin/chroot",
            script: """
                install -o 33 -g 33 -m 4755 /dev/null f && stat -c '%u %g %a' f
                setpriv --reuid 1000 --regid 1000 --clear-groups id -u
                chroot / id -u
                """, output: "33 33 4755\n1000\n0\n", capabilities: .build),
    ]

    @Test(arguments: programs.filter { FileManager.default.isExecutableFile(atPath: $0.path) })
    func aProgramRuns(program: Program) throws {
        try withLauncher { launcher in
            let finished = try launcher.run(
                .test(
                    "/bin/sh", "-ec", program.script, environment: ["LC_ALL=C"], workingDirectory: "/tmp",
                    memory: 1 << 30, disk: 256 << 20, capabilities: program.capabilities))
            #expect(finished.text == program.output, "\(finished.errorText.suffix(2_000))")
            #expect(finished.report.end == .exited(code: 0))
        }
    }

    /// strace, and with it gdb and LeakSanitizer (Docs/decisions/0011).
    @Test func whatTracesOthersIsRefused() throws {
        try withLauncher { launcher in
            let finished = try launcher.run(.test("/usr/bin/strace", "-o", "/dev/null", "true"))
            #expect(finished.report.end == .exited(code: 1))
            #expect(finished.errorText.contains("Operation not permitted"), "\(finished.errorText)")
        }
    }
}
