# Further commands in a sandbox that runs.
sandpool submit --block-network --memory 64MiB --disk 16MiB --pids 16 --name box -- sleep 600 >/dev/null
await "a sandbox to run commands in" "sandpool exec box -- true"
check "a further command and its code" 7 'out' sandpool exec box -- sh -c 'echo out; exit 7'
check "its standard input" 0 '3' sh -c 'printf "a\nb\nc\n" | sandpool exec -i box -- wc -l'
check "its variable, directory and user" 0 'x /tmp 65534' \
    sandpool exec -e A=x -w /tmp -u nobody box -- sh -c 'echo $A $(pwd) $(id -u)'
check "its memory is the sandbox's" 137 '*' sandpool exec box -- python3 -c 'bytearray(1 << 27)'
check "its processes are too" 2 '*fork*' sandpool exec box -- sh -c 'for i in $(seq 30); do sleep 5 & done'
check "the sandbox goes on" 0 'here' sandpool exec box -- echo here
sandpool cancel box

sandpool submit --block-network --memory 64MiB --disk 16MiB --name busy -- sh -c 'while :; do true | true; done' >/dev/null
await "a sandbox that forks all the time" "sandpool show busy | grep -q running"
check "its first commands, eight at once" 0 '' sh -c '
    for i in 1 2 3 4 5 6 7 8; do sandpool exec busy -- true || echo "$i failed" & done; wait'
check "more than waits for a reader" 0 '80000000' sh -c 'sandpool exec busy -- head -c 80000000 /dev/zero | wc -c'
sandpool cancel busy

check "no command where no sandbox is" 125 '*its sandbox is gone*' \
    sh -c 'sandpool wait box >/dev/null; sandpool exec box -- true'

sandpool submit --block-network --memory 64MiB --disk 16MiB --name heavy -- \
    sh -c 'mkfifo /tmp/go; read line </tmp/go; exec python3 -c "bytearray(1 << 27)"' >/dev/null
await "a sandbox that will run out of memory" "sandpool exec heavy -- test -p /tmp/go"
check "a sandbox out of memory takes its commands along" 137 '' sh -c '
    sandpool exec heavy -- sh -c "touch /tmp/up; sleep 600" &
    sandpool exec heavy -- sh -c "until [ -e /tmp/up ]; do sleep 0.1; done; echo >/tmp/go"
    wait $!'
check "its end is its own" 137 '*' sandpool wait heavy
