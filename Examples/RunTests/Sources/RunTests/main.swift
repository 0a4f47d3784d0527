// Runs a command on a copy of a directory, in a sandbox without a network, and ends with the command's code:
//
//     SANDPOOL_URL=http://127.0.0.1:7420 SANDPOOL_TOKEN_FILE=admin.token \
//         swift run RunTests ~/project 'python3 -m unittest'

import Foundation
import Sandpool

guard CommandLine.arguments.count == 3 else {
    print("usage: RunTests DIRECTORY COMMAND")
    exit(125)
}
do {
    let sandbox = try await Sandbox.create(
        "cd /repo && \(CommandLine.arguments[2])",
        mounts: [CommandLine.arguments[1]: "/repo"],
        timeout: .seconds(600),
        blockNetwork: true)
    print("sandbox \(sandbox.id)")
    async let errors = sandbox.stderr.readText()
    for try await line in sandbox.stdout.lines { print("| \(line)") }
    FileHandle.standardError.write(Data(try await errors.utf8))
    exit(Int32(try await sandbox.wait()))
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(125)
}
