# Sandboxes with a network: out through NAT, names through the forwarder, and nowhere that is not theirs.
check "out with the host's address" 0 "reached $uplink" sandpool run -- python3 "$here/probe.py" tcp 203.0.113.1
check "datagrams, too" 0 "reached $uplink" sandpool run -- python3 "$here/probe.py" udp 192.0.2.1 hello
check "the host's resolver through the forwarder" 0 \
    $'ok.example.org 203.0.113.1\nnine.example.org 203.0.113.9\nrebind.example.org none' \
    sandpool run -- python3 -c "$names"
check "the forwarder asked for it" 0 '*asked ok.example.org 1 udp*' cat /run/internet.log

gateway=$(ip -4 -o addr show lo | sed -n 's/.* \(10[0-9.]*\.0\.1\)\/.*/\1/p')
expected=
tries=()
for address in $private $uplink $gateway; do
    tries+=("tcp $address")
    expected+=$'failed ECONNREFUSED\n'
done
ip route add local 198.51.100.0/24 dev lo
check "a range without an address is the host's, too" 0 'reached *' python3 "$here/probe.py" tcp 198.51.100.9
tries+=("tcp 198.51.100.9")
expected+=$'failed ECONNREFUSED\n'
check "no private address, no metadata, no host" 0 "${expected%$'\n'}" sandpool run -- sh -c "$(inside "${tries[@]}")"
ip route del local 198.51.100.0/24 dev lo
check "no other port of the gateway" 0 'failed ECONNREFUSED' \
    sandpool run -- python3 "$here/probe.py" tcp "${gateway:-none}" 7420

check "a named domain and no other" 0 \
    $'ok.example.org 203.0.113.1\nnine.example.org none\nrebind.example.org none' \
    sandpool run --allow-domain ok.example.org -- python3 -c "$names"
check "the named domain's address and no other" 0 $'code0 203.0.113.1\nreached 192.0.2.2\nfailed ECONNREFUSED' \
    sandpool run --allow-domain ok.example.org -- \
    sh -c "$(inside "dns ${gateway:-none} ok.example.org 1" "tcp 203.0.113.1" "tcp 203.0.113.9")"
check "a named range and no other" 0 $'failed ECONNREFUSED\nreached 192.0.2.2' \
    sandpool run --allow-cidr 203.0.113.8/29 -- sh -c "$(inside "tcp 203.0.113.1" "tcp 203.0.113.9")"
