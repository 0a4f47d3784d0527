import Glibc
import SandpoolTestSupport

// Lives through simulated worlds and says what is wrong: `make simulate`.
//
//   Simulate --seeds N [--from SEED]             N worlds, and how often each fault came
//   Simulate --variants [--seeds N]              each broken variant, until one of at most N worlds finds it
//   Simulate --seed SEED [--variant NAME] [--trace]   one world again

hashDeterministically()
let options = Options(CommandLine.arguments)
exit(await options.run() ? 0 : 1)

/// Starts the program anew with the setting that makes a seed always give the same world (`Simulator`).
func hashDeterministically() {
    guard getenv("SWIFT_DETERMINISTIC_HASHING") == nil else { return }
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    execv("/proc/self/exe", CommandLine.unsafeArgv)
    perror("execv /proc/self/exe")
    exit(125)
}
