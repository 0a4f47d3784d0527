# A net namespace stands for everything outside of this host. It has addresses that sandboxes may reach, a DNS
# server and a package mirror on such, and private addresses that sandboxes must not reach though it answers there.
inside() { printf 'cd %s; ' "$here"; for try in "$@"; do printf 'python3 probe.py %s; ' "$try"; done; }
names='import socket
for name in "ok.example.org", "nine.example.org", "rebind.example.org":
    try: print(name, socket.gethostbyname(name))
    except OSError: print(name, "none")'
public="203.0.113.1 203.0.113.9 203.0.113.53"
private="10.1.2.3 100.64.0.5 168.63.129.16 169.254.169.254 172.16.5.5 192.168.7.7 198.18.0.5"
uplink=192.0.2.2

ip netns add internet
ip link add up0 type veth peer name in0 netns internet
ip addr add $uplink/24 dev up0
ip link set up0 up
ip route add default via 192.0.2.1
ip -n internet link set lo up
ip -n internet addr add 192.0.2.1/24 dev in0
ip -n internet link set in0 up
for address in $public $private; do ip -n internet addr add "$address/32" dev lo; done
echo "nameserver 203.0.113.53" >/etc/resolv.conf

# Each ends with its input.
tail -f /dev/null | ip netns exec internet python3 peer.py internet >/run/internet.log &
tail -f /dev/null | python3 peer.py host >/run/host.log &
ip netns exec internet python3 -u -m http.server --bind 203.0.113.1 --directory /srv 8000 >/run/mirror.log 2>&1 &
await "the internet" "grep -q ready /run/internet.log && grep -q ready /run/host.log"
await "the mirror" "grep -q Serving /run/mirror.log"
for address in $private; do
    check "$address is there for the host" 0 "reached $uplink" python3 probe.py tcp "$address"
done
check "the host is there for its neighbours" 0 "reached 192.0.2.1" \
    ip netns exec internet python3 probe.py tcp $uplink
# A worker asks the host's apt for its mirrors, which knows those that it has lists of.
check "the host's apt believes the mirror" 0 '*Reading package lists*' apt-get update
