# How sandboxes end: by the command, by a signal, by the clock, by the user.
check "the timeout" 124 'before*' sandpool run --block-network --timeout 2 --grace 1 -- sh -c 'echo before; sleep 60'

cd /tmp || exit
check "an interrupt is the command's" 9 $'ready\ninterrupted' bash -c '
    sandpool run --block-network -- \
        sh -c "trap \"echo interrupted; exit 9\" INT; echo ready; while :; do sleep 0.1; done" >interrupt &
    until grep -q ready interrupt; do sleep 0.1; done
    kill -INT $!
    wait $!
    code=$?
    cat interrupt
    exit $code'
cd "$here" || exit
check "a signal that ends the command" 143 '' sandpool run --block-network -- sh -c 'kill -TERM $$'

sandpool submit --block-network --name cancelled --grace 1 -- sh -c 'trap "" TERM; echo up; while :; do sleep 1; done' \
    >/dev/null
await "a running job" "sandpool logs cancelled | grep -q up"
check "a cancel" 0 '' sandpool cancel cancelled
check "the cancelled job's code" 137 '*' sandpool wait cancelled
check "the cancelled job's cause" 0 '*"cause" : "cancelled"*' sandpool show --json cancelled
