# Sandboxes on the host's own /usr, with no network.
check "a blocked sandbox on the host image" 7 'hello' sandpool run --block-network -- sh -c 'echo hello; exit 7'
check "only loopback" 0 'lo' sandpool run --block-network -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "'
check "no network without an address" 0 'failed ENETUNREACH' \
    sandpool run --block-network -- python3 "$here/probe.py" tcp 203.0.113.1
check "a user by name" 0 'nobody 65534' sandpool run --block-network -u nobody -- sh -c 'echo "$(id -un) $(id -u)"'
check "standard input" 0 '3' sh -c 'printf "a\nb\nc\n" | sandpool run -i --block-network -- wc -l'

mkdir -p /tmp/tree && echo content >/tmp/tree/file
check "a mount" 0 'content' sandpool run --block-network --mount /tmp/tree:/data -- cat /data/file
check "a download" 0 '*' sandpool run --block-network --download /out:/tmp/out -- sh -c 'echo result >/out'
check "the downloaded file" 0 'result' cat /tmp/out
check "directories over removed ones, on a tmpfs without user attributes" 0 '' sandpool run --block-network \
    --mount /tmp/tree:/data -- sh -c 'rm -r /data/file && mkdir /data/file && rmdir /data/file'
