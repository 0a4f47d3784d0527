# A restart of worker and coordinator leaves sandboxes alone.
sandpool submit --block-network --name survivor -- sh -c 'echo one; sleep 8; echo two; exit 5' >/dev/null
await "a running job" "sandpool show survivor | grep -q running"
systemctl restart sandpool-worker
systemctl restart sandpool-coordinator
await "the coordinator again" "sandpool worker ls"
check "a sandbox outlives both services" 5 '*' sandpool wait survivor
check "its output is whole" 0 $'one\ntwo' sandpool logs survivor
