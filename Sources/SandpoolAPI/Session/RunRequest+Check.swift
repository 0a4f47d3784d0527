extension RunRequest: SessionMessage {
    public func check() throws(APIError) {
        switch self {
        case .follow(let job, let stdout, let stderr, _):
            try APIError.require(job, atMost: SessionLimits.wordBytes, in: "follow.job")
            // The end of the range asks for none of a stream.
            for (field, offset) in [("stdout", stdout), ("stderr", stderr)] {
                try APIError.require(offset >= 0, "follow.\(field)", "\(offset) is no offset")
            }
        // A spec and a signal are checked where every route's are.
        case .submit, .signal, .cancel, .detach: break
        }
    }
}
