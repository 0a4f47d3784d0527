# A restart of worker and coordinator leaves sandboxes alone.
sandpool submit --block-network --name survivor -- sh -c 'echo one; sleep 8; echo two; exit 5' >/dev/null
await "a running job" "sandpool show survivor | grep -q running"
systemctl restart sandpool-worker
systemctl restart sandpool-coordinator
await "the coordinator again" "sandpool worker ls"
check "a sandbox outlives both services" 5 '*' sandpool wait survivor
check "its output is whole" 0 $'one\ntwo' sandpool logs survivor

# The same with fifty sandboxes that write all the while.
stream='n=1; while [ $n -le 30 ]; do echo "$0 $n"; sleep 4; n=$((n + 1)); done; exit 4'
for number in $(seq 50); do
    sandpool submit --block-network --cpus 0.04 --memory 32MiB --disk 8MiB --timeout 600 --name "stream-$number" \
        -- sh -c "$stream" "$number" >/dev/null
done
streams=$(seq -f 'stream-%.0f' 50)
running() { sandpool ls --state running --limit 100 --json | grep -c '"stream-'; }
whole() { sandpool logs "stream-$1" | cmp - <(seq -f "$1 %.0f" 30) && echo whole; }
export -f running whole
await "fifty running sandboxes" '[ "$(running)" = 50 ]' 110
systemctl restart sandpool-worker sandpool-coordinator
await "the coordinator once more" "sandpool worker ls"
check "all fifty go on" 0 50 bash -c running
limit=300
check "their fifty codes" 0 50 bash -c "sandpool wait $(echo $streams) | grep -c ' 4$'"
check "the output of each, to the byte" 0 50 bash -c 'for number in $(seq 50); do whole "$number"; done | grep -c whole'
limit=120

# A reload has the program that is at the launcher's path by now, here a new file, take the place of the one that runs.
launcher=/usr/local/libexec/sandpool/sandpool-launcher
main=$(systemctl show -P MainPID sandpool-launcher)
sandpool submit --block-network --name upgraded -- sh -c \
    'echo one; while ! [ -e /tmp/go ]; do sleep 0.1; done; echo two; exit 6' >/dev/null
await "a running job" "sandpool show upgraded | grep -q running"
check "a further command before the upgrade" 4 '*' sandpool exec upgraded -- sh -c 'exit 4'
cp "$launcher" "$launcher.new" && mv "$launcher.new" "$launcher"
systemctl reload sandpool-launcher
await "the launcher's upgrade" "journalctl -u sandpool-launcher | grep -q 'upgrade 1: took over; sandboxes: 1'"
check "a further command after it" 0 '*' sandpool exec upgraded -- touch /tmp/go
check "a sandbox outlives its launcher's upgrade" 6 '*' sandpool wait upgraded
check "its output is whole, too" 0 $'one\ntwo' sandpool logs upgraded
check "a limit holds under the new program" 137 '*oom*' sandpool run -v --block-network --memory 32MiB \
    --disk 1MiB -- sh -c 'head -c 100m /dev/zero | tail'
cp "$launcher" "$launcher.kept" && cp /bin/false "$launcher.new" && mv "$launcher.new" "$launcher"
systemctl reload sandpool-launcher
await "the refusal" "journalctl -u sandpool-launcher | grep -q 'does not take over, and this launcher goes on'"
mv "$launcher.kept" "$launcher"
check "the old launcher goes on" 3 '' sandpool run --block-network -- sh -c 'exit 3'
check "it is the same process" 0 "$main" systemctl show -P MainPID sandpool-launcher
