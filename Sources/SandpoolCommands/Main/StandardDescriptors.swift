import Glibc

/// Descriptors 0 to 2 of a process that was started without one of them, as a shell's `<&-` does.
enum StandardDescriptors {
    /// Fills the places that are empty, before another file of this process gets the number and is read as its stdin.
    /// What is there fails with EBADF as a closed one does (read(2), write(2)): it is open the other way round.
    static func fill() {
        for (number, way) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(number, F_GETFD) < 0 {
            // It gets the lowest number that is free, which is this one (open(2)).
            _ = open("/dev/null", way)
        }
    }
}
