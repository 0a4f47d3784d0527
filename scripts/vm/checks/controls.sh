# Attacks on what a kernel of few parts does not have, or their root may not do: whether each gets through here
# without what protects from it. What came out is kept in `controls.txt`, where scripts/probe-table finds it.
# Debian lets nobody load these two by asking for such a socket.
modprobe -a rds tipc
check "with more to attack all is held as well" 0 '*attacks held*' sandpool worker verify
sandpool submit --block-network --name joined -- sleep 600 >/dev/null
await "a sandbox to join" "sandpool show joined | grep -q running"
for pid in $(pgrep -P "$(systemctl show -P MainPID sandpool-launcher)"); do
    [ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] || first=$pid
done
while IFS=$'\t' read -r probe protections found; do
    check "$probe without $protections" 0 "$found" ./attack "$first" "$protections" "$probe"
done <controls.txt
sandpool cancel joined
