# An orderly end leaves nothing on the host.
systemctl stop sandpool-worker sandpool-launcher
check "no cgroup is left" 1 '' test -e /sys/fs/cgroup/system.slice/sandpool-launcher.service
check "no process is left" 1 '' pgrep -x sandpool-launch
check "no mount is left" 1 '' grep -E 'sandpool|overlay' /proc/self/mounts
check "no interface is left" 0 $'lo\nup0' ls /sys/class/net
check "no rule is left" 0 '' nft list ruleset
check "no address is left" 0 '127.0.0.1/8' sh -c "ip -4 -o addr show lo | awk '{print \$4}'"
check "no uplink forwards" 0 0 cat /proc/sys/net/ipv4/conf/up0/forwarding
check "no namespace is left" 0 "$namespaces" sh -c 'lsns -n -o NS -t net -t pid -t ipc | wc -l'
