import Glibc
import SandpoolProbes

exit(ProbeProgram.run(Array(CommandLine.arguments.dropFirst())))
