import Glibc
import SandpoolSandbox

exit(LauncherMain.run(Array(CommandLine.arguments.dropFirst())))
