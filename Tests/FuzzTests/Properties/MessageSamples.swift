/// One message of each kind, as it goes over the wire (the golden texts of `SandpoolAPITests` are the exact ones).
enum MessageSamples {
    private static let lease = #"{"attempt":"at-01jd8000000000000000000001","epoch":7}"#
    private static let exec = "ex-01jd8000000000000000000004"
    private static let moment = #""2024-11-23T00:00:00.123Z""#
    private static let held = #"[{"lease":\#(lease),"state":"running","stderrBytes":5,"stdoutBytes":4}]"#

    static let worker = [
        #"{"hello":{"_0":{"bootID":"b0","capacity":{"cpuMillis":1,"diskBytes":3,"memoryBytes":2},"held":\#(held),"#
            + #""id":"wk-01jd8000000000000000000003","images":["host"],"labels":{"zone":"a/b"},"name":"host-1","#
            + #""makesDisks":false,"offersHostImage":true,"process":"5f","returned":[\#(lease)],"#
            + #""softwareVersion":"0.1.0","version":2}}}"#,
        #"{"progress":{"_0":[{"at":\#(moment),"lease":\#(lease),"state":"building"}]}}"#,
        #"{"results":{"_0":[{"downloads":"sha256:\#(String(repeating: "0", count: 64))","#
            + #""evidence":{"outputTruncated":false,"reapedBy":"init","stagesMs":{"prepare":3},"stalledMs":0,"#
            + #""lostStdoutBytes":1,"stderrBytes":0,"stderrDigest":"sha256:\#(String(repeating: "1", count: 64))","#
            + #""stdoutBytes":0,"wallMs":12},"finishedAt":\#(moment),"lease":\#(lease),"#
            + #""outcome":{"cause":"exited","commandStarted":true,"exitCode":3,"isRetryable":true,"message":"m"},"#
            + #""startedAt":\#(moment),"stdoutTail":{"base64":"aGk=","offset":9}}]}}"#,
        #"{"results":{"_0":[{"evidence":{"outputTruncated":false,"stagesMs":{},"stalledMs":0,"stderrBytes":0,"#
            + #""stdoutBytes":0},"finishedAt":\#(moment),"lease":\#(lease),"#
            + #""outcome":{"cause":"signaled","commandStarted":false,"isRetryable":false,"signal":9}}]}}"#,
        #"{"returned":{"_0":[\#(lease)]}}"#, #"{"heartbeat":{"sentMs":42}}"#,
        #"{"inputConsumed":{"_0":\#(lease),"offset":10}}"#,
        #"{"execStarted":{"_0":"\#(exec)"}}"#, #"{"execInputConsumed":{"_0":"\#(exec)","offset":10}}"#,
        #"{"execEnded":{"_0":{"id":"\#(exec)","outcome":{"cause":"exited","commandStarted":true,"exitCode":3,"#
            + #""isRetryable":true},"stderrBytes":2,"stdoutBytes":1}}}"#,
    ]

    static let coordinator = [
        #"{"welcome":{"_0":{"generation":3,"heartbeatSeconds":10,"keep":\#(held),"kill":[\#(lease)],"#
            + #""leaseSeconds":30,"version":2}}}"#,
        #"{"assign":{"_0":[{"job":"sb-01jd8000000000000000000002","lease":\#(lease),"spec":{"command":["a"]}}]}}"#,
        #"{"cancel":{"_0":\#(lease)}}"#, #"{"signal":{"_0":\#(lease),"signal":15}}"#, #"{"kill":{"_0":\#(lease)}}"#,
        #"{"recorded":{"_0":[{"lease":\#(lease),"verdict":"recorded"},{"lease":\#(lease),"verdict":"fenced"}]}}"#,
        #"{"outputDurable":{"_0":\#(lease),"stderr":9,"stdout":8}}"#, #"{"heartbeat":{"sentMs":42}}"#,
        #"{"exec":{"_0":{"id":"\#(exec)","lease":\#(lease),"spec":\#(execs[0])}}}"#,
        #"{"execSignal":{"_0":"\#(exec)","signal":2}}"#, #"{"execCancel":{"_0":"\#(exec)"}}"#,
        #"{"execLeave":{"_0":"\#(exec)"}}"#, #"{"execOutputTaken":{"_0":"\#(exec)","stderr":2,"stdout":1}}"#,
        #"{"drain":{}}"#, #"{"failed":{"_0":{"code":"unsupported_version","hint":"h","message":"m"}}}"#,
    ]

    static let runRequests = [
        #"{"submit":{"_0":{"command":["echo","a/b"],"cpus":0.5,"mounts":[{"blob":"b","path":"/m"}]}}}"#,
        #"{"follow":{"job":"@last","stderr":9223372036854775807,"stdout":1}}"#, #"{"signal":{"_0":2}}"#,
        #"{"cancel":{}}"#, #"{"detach":{}}"#,
    ]

    static let execControls = [#"{"signal":{"_0":2}}"#, #"{"cancel":{}}"#]

    static let execs = [
        #"{"command":["a","b"],"environment":{"A":"B"},"stdin":"stream","timeoutSeconds":90,"user":"nobody","#
            + #""workdir":"/w"}"#, #"{"command":"ls | wc"}"#,
    ]

    static let specs = [everyKey, #"{"blockNetwork":true,"command":"true","stdin":"stream"}"#]

    private static let everyKey = """
        {"allowCIDRs":["192.0.2.0/24"],"allowDomains":["*.example.org"],"command":["a","b"],\
        "cpus":0.5,"diskBytes":1048576,"downloads":["/out"],"environment":{"A":"B"},"graceSeconds":2.5,\
        "idempotencyKey":"k","idleTimeoutSeconds":30,"image":"host","memoryBytes":2147483648,\
        "mounts":[{"blob":"sha256:\(String(repeating: "0", count: 64))","isFile":true,"path":"/m"}],"name":"n",\
        "onDisconnect":"cancel","outputBytes":1024,"pids":16,"priority":-5,"queueTimeoutSeconds":60,\
        "require":{"gpu":"none"},"rerun":"never","retries":3,"tags":{"t":"v"},"timeoutSeconds":90,\
        "user":"nobody","workdir":"/w"}
        """
}
