# A restart of worker and coordinator leaves sandboxes alone.
sandpool submit --block-network --name survivor -- sh -c 'echo one; sleep 8; echo two; exit 5' >/dev/null
await "a running job" "sandpool show survivor | grep -q running"
systemctl restart sandpool-worker
systemctl restart sandpool-coordinator
await "the coordinator again" "sandpool worker ls"
check "a sandbox outlives both services" 5 '*' sandpool wait survivor
check "its output is whole" 0 $'one\ntwo' sandpool logs survivor

# The same with fifty sandboxes that stream.
stream='i=1; while [ $i -le 10 ]; do echo "$0 $i"; sleep 1; i=$((i + 1)); done; sleep 5; exit 4'
for number in $(seq 50); do
    sandpool submit --block-network --cpus 0.04 --memory 32MiB --disk 8MiB --name "stream-$number" -- \
        sh -c "$stream" "$number" >/dev/null
done
running() { sandpool ls --state running --limit 100 --json | grep -c '"stream-'; }
export -f running
await "fifty running sandboxes" '[ "$(running)" = 50 ]' 180
systemctl restart sandpool-worker sandpool-coordinator
await "the coordinator once more" "sandpool worker ls"
streams() { for number in $(seq 50); do echo "stream-$number"; done; }
whole() {
    for name in $(streams); do
        [ "$(sandpool logs "$name")" = "$(seq -f "${name#stream-} %.0f" 10)" ] && echo "$name"
    done | wc -l
}
export -f streams whole
limit=300
check "fifty results of sandboxes that streamed meanwhile" 0 50 bash -c 'sandpool wait $(streams) | grep -c " 4$"'
check "the output of each is whole" 0 50 bash -c whole
limit=120
