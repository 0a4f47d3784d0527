# What every part uses.
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
here=$PWD
passed=0
failed=0

# Seconds since the first check, to see where the time goes.
stamp() { printf '%3d s' "$SECONDS"; }

# check NAME EXPECTED-CODE PATTERN COMMAND…: the command's exit code and output are as said. It has $limit seconds.
limit=120
check() {
    local name=$1 code=$2 pattern=$3 output status
    shift 3
    output=$(overdue "$name" timeout "$limit" "$@" 2>&1)
    status=$?
    if [ "$status" = "$code" ] && [[ $output == $pattern ]]; then
        passed=$((passed + 1))
        echo "$(stamp) ok: $name"
    else
        failed=$((failed + 1))
        echo "$(stamp) FAILED: $name: exit code $status, output: $output"
    fi
}

# overdue NAME COMMAND...: runs the command; shortly before its limit it tells what every thread here waits for.
overdue() {
    local name=$1 watcher status
    shift
    (sleep $((limit - 5)) && echo "$(stamp) overdue: $name" && ps -eLo pid,ppid,tid,stat,wchan:24,args --cols 200) \
        >/dev/console 2>&1 &
    watcher=$!
    # The shell says nothing of its end then.
    disown "$watcher"
    "$@"
    status=$?
    pkill -P "$watcher"
    kill "$watcher" 2>/dev/null
    return "$status"
}

# await WHAT COMMAND [SECONDS]: waits until the command succeeds; without that nothing below makes sense.
await() {
    timeout "${3:-60}" bash -c "until $2 >/dev/null 2>&1; do sleep 0.2; done" && return
    failed=$((failed + 1))
    echo "$(stamp) FAILED: $1 never came"
    finish
}

finish() {
    if [ "$failed" != 0 ]; then
        journalctl --no-pager -u 'sandpool-*' | tail -40
        sandpool ls -a
        for job in $(sandpool ls -a | awk '/errored/ { print $1 }'); do sandpool why "$job"; done
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}
