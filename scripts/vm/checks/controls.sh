# Attacks on what the build machines' kernel does not have, or their root may not do: whether each gets through here
# without what protects from it. `verify` has shown that all of them are held with it. What came out is kept in
# `controls.txt`, where scripts/probe-table finds it.
sandpool submit --block-network --name joined -- sleep 600 >/dev/null
await "a sandbox to join" "sandpool show joined | grep -q running"
for pid in $(pgrep -P "$(systemctl show -P MainPID sandpool-launcher)"); do
    [ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] || first=$pid
done
while IFS=$'\t' read -r probe protections found; do
    check "$probe without $protections" 0 "$found" ./attack "$first" "$protections" "$probe"
done <controls.txt
sandpool cancel joined
