# An ordinary user, with what Debian gives him: subordinate ids from useradd, a user manager from logind.
useradd --create-home tester
uid=$(id -u tester)
loginctl enable-linger tester
# As udev does where there is one.
modprobe tun
chmod 0666 /dev/net/tun
await "the user's manager" "test -S /run/user/$uid/systemd/private"
tester=(setpriv --reuid tester --regid tester --init-groups env -i HOME=/home/tester "PATH=$PATH" sandpool)
local=("${tester[@]}" run --local --block-network)

open=("${tester[@]}" run --local)

check "doctor finds what an ordinary user needs" 0 \
    '*ok       user namespaces*ok       limits*ok       open network *by pasta*' "${tester[@]}" doctor
check "a sandbox without root" 7 hello "${local[@]}" -- sh -c 'echo hello; exit 7'
check "it has the user's ids and no capability" 0 $'0 0 1 1 1 65535\nCapEff:\t0000000000000000' \
    "${local[@]}" -- sh -c "xargs </proc/self/uid_map; grep CapEff /proc/self/status"
check "a user of the image" 0 '33' "${local[@]}" -u www-data -- id -u
check "only loopback without root" 0 'lo' "${local[@]}" -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "'

# His open network, by pasta: what it connects to it connects to as he does, and the filter inside says to what.
check "out without root" 0 "reached $uplink" "${open[@]}" -- python3 "$here/probe.py" tcp 203.0.113.1
check "datagrams without root" 0 "reached $uplink" "${open[@]}" -- python3 "$here/probe.py" udp 192.0.2.1 hello
check "names without root" 0 $'ok.example.org 203.0.113.1\nnine.example.org 203.0.113.9\nrebind.example.org none' \
    "${open[@]}" -- python3 -c "$names"
expected=
tries=()
# Of this range the host has no address, and takes it all the same.
ip route add local 198.51.100.0/24 dev lo
for address in $private $uplink 127.0.0.1 198.51.100.9; do
    check "$address is there for the user" 0 'reached *' \
        setpriv --reuid tester --regid tester --init-groups python3 "$here/probe.py" tcp "$address"
    tries+=("tcp $address")
    expected+=$'failed ECONNREFUSED\n'
done
restored='import socket
def index():
    try: return socket.if_nametoindex("eth0")
    except OSError: return 0
first = index()
print("up", flush=True)
while index() in (0, first): pass
while True:
    try: print("again", socket.create_connection(("203.0.113.1", 80), 10).getpeername()[0]); break
    except OSError: pass'
check "no private address and no host without root" 0 "${expected%$'\n'}" "${open[@]}" -- sh -c "$(inside "${tries[@]}")"
check "a named domain without root" 0 $'ok.example.org 203.0.113.1\nnine.example.org none\nrebind.example.org none' \
    "${open[@]}" --allow-domain ok.example.org -- python3 -c "$names"
check "a named range without root" 0 $'failed ECONNREFUSED\nreached '"$uplink" \
    "${open[@]}" --allow-cidr 203.0.113.8/29 -- sh -c "$(inside "tcp 203.0.113.1" "tcp 203.0.113.9")"
check "root inside has no say over its network" 2 '*ermitted*' "${open[@]}" -- ip link set eth0 down
ip route del local 198.51.100.0/24 dev lo
check "a pasta that ends is started again, which the end tells" 0 \
    $'up\nagain 203.0.113.1\nsandpool: network: it ended once while the command ran; *' bash -c '
    "$@" >/tmp/local.log 2>&1 &
    until grep -q up /tmp/local.log; do sleep 0.1; done
    pkill -KILL -u tester ^pas
    wait $!; cat /tmp/local.log' sh "${open[@]}" -- python3 -c "$restored"
check "pasta works under Debian's profile of it" 0 'passt (enforce)' bash -c '
    "$@" -- sh -c "echo up; sleep 600" >/tmp/local.log 2>&1 &
    until grep -q up /tmp/local.log; do sleep 0.1; done
    cat "/proc/$(pgrep -u tester ^pas)/attr/current"
    kill -TERM $!' sh "${open[@]}"
await "the end of pasta" "! pgrep -u tester ^pas"
mv /usr/bin/pasta /usr/bin/pasta.away
check "without pasta a domain cannot be allowed" 125 '*no network can be opened: without root, /usr/bin/pasta*passt*' \
    "${open[@]}" --allow-domain ok.example.org -- true
check "doctor says that big disks are root's" 0 '*missing  big disks *without root a --disk has to be smaller*' \
    "${tester[@]}" doctor
check "doctor names the package" 0 '*missing  open network*apt-get install passt*' "${tester[@]}" doctor
mv /usr/bin/pasta.away /usr/bin/pasta

check "the memory limit without root" 137 '*' "${local[@]}" --name full --memory 96MiB --disk 16MiB -- \
    python3 -c 'print(len(b"x" * (512 << 20)))'
check "out of memory is its cause" 0 '*"cause" : "oom"*' "${tester[@]}" show --local --json full
check "the limit on processes without root" 2 '*Cannot fork*' "${local[@]}" --pids 8 -- \
    sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done; true'
check "a disk that does not fit the memory is refused without root" 125 '*diskBytes: no worker can make a disk of 96MiB*' \
    "${local[@]}" --memory 96MiB --disk 96MiB -- true
check "the processor limit without root" 0 '50000 100000' bash -c '
    "$@" --cpus 0.5 -- sh -c "echo up; sleep 600" >/tmp/local.log 2>&1 &
    until grep -q up /tmp/local.log; do sleep 0.1; done
    grep -rhx "50000 100000" --include=cpu.max /sys/fs/cgroup/user.slice
    kill -TERM $!' sh "${local[@]}"
await "the end of the user's launcher" "! pgrep -u tester -x sandpool-launch"
check "no cgroup of the user's is left" 1 '' \
    sh -c "find /sys/fs/cgroup/user.slice -name 'sandpool-*' -o -name 'run-*.scope' | grep ."

loginctl disable-linger tester
systemctl stop "user@$uid.service"
check "without a user manager a limit is refused" 125 '*memoryBytes: cannot be limited: systemd runs no user manager*' \
    "${local[@]}" --memory 96MiB --disk 16MiB -- true
check "and a default is left out" 0 '*not limited on this host: cpus, memoryBytes, pids*' "${local[@]}" -v -- true
userdel --remove tester 2>/dev/null
