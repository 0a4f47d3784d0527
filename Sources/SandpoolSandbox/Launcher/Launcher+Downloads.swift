import Glibc
import LinuxSystem

/// Downloads: when the command has ended, a second sandbox reads the files of the first and archives them. The
/// host's tar does it, so that it works for an image without one, and nothing of the image is executed.
extension Launcher {
    private static let base = "sandbox"
    private static let timeoutMs: UInt64 = 600_000
    /// Bound on the archive.
    private static let archiveLimit: UInt64 = 64 << 30

    /// False when there is nothing to archive; else the end of the sandbox follows when it is done.
    func archiveDownloads(of sandbox: RunningSandbox, _ resources: RunningSandbox.Resources) -> Bool {
        guard let sink = sandbox.downloadSink, !sandbox.plan.downloads.isEmpty else { return false }
        func note(_ trouble: String?) {
            if case .draining(var report) = sandbox.state {
                report.downloadMessage = trouble ?? ""
                sandbox.state = .draining(report)
            }
            sandbox.downloadSink = nil
        }
        if isEnding {
            note("the launcher is ending")
            return false
        }
        let finish = { [unowned self] (trouble: String?) in
            note(trouble)
            resources.writable.detach()
            drain(sandbox)
            takeDown(resources)
        }
        // Paths that are there are archived even when others are not.
        let script = """
            cd /\(Self.base) || exit 1; missing=; found=
            for path; do
                if [ -e "$path" ] || [ -L "$path" ]; then found=1; else missing="$missing /$path"; shift; continue; fi
                shift; set -- "$@" "$path"
            done
            [ -z "$found" ] || tar -c --numeric-owner -- "$@" || exit 1
            [ -z "$missing" ] || { echo "not there:$missing" >&2; exit 1; }
            """
        let paths = sandbox.plan.downloads.map { path in String(path.drop { $0 == "/" }) }
        let plan = OwnSandbox.plan(
            id: "download.\(sandbox.token)", script: script, arguments: paths, timeoutMs: Self.timeoutMs)
        var job = LauncherJob(standardOutput: sink, fileSizeLimit: Self.archiveLimit)
        // The same ids: the files belong to them.
        job.slot = resources.slot
        job.attachments = { [factory] slot throws(StageError) in
            try factory.roots.makeForReading(sandbox.plan, slot, resources.writable, at: Self.base)
        }
        job.onEnd = { finish($0.trouble) }
        do throws(StageError) {
            try make(plan, job)
        } catch {
            finish(error.failure.message)
        }
        return true
    }
}
