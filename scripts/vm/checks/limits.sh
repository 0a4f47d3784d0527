# Limits, as the kernel has them and as a command meets them.
sandpool submit --block-network --name limited --cpus 0.5 --memory 200MiB --disk 16MiB --pids 77 -- sleep 600 >/dev/null
await "a limited job" "sandpool show limited | grep -q running"
service=/sys/fs/cgroup/system.slice/sandpool-launcher.service
cgroup=$(dirname "$(grep -rlx 77 --include=pids.max $service)")
check "its limit on processors" 0 '50000 100000' cat "$cgroup/cpu.max"
check "its share of processors" 0 50 cat "$cgroup/cpu.weight"
check "all of it ends when memory is out" 0 1 cat "$cgroup/memory.oom.group"
check "its limit on memory" 0 209715200 cat "$cgroup/memory.max"
check "no swap" 0 0 cat "$cgroup/memory.swap.max"
check "its processes" 0 '[12]' sh -c "wc -l <$cgroup/cgroup.procs"
sandpool cancel limited

check "the memory limit" 137 '*' sandpool run --block-network --name full --memory 96MiB --disk 16MiB -- \
    python3 -c 'print(len(b"x" * (512 << 20)))'
check "out of memory is the cause" 0 '*"cause" : "oom"*"returnCode" : 137*' sandpool show --json full
check "a child that is out of memory is it, too" 137 '*' sandpool run --block-network --memory 96MiB --disk 16MiB -- \
    sh -c 'python3 -c "print(len(b\"x\" * (512 << 20)))"; exit 0'
check "output over its limit is dropped" 3 '*truncated at 1024 bytes]*' \
    sandpool run --block-network --output-limit 1KiB -- sh -c 'yes | head -c 100000; exit 3'
check "or ends the job" 137 '*truncated at 1024 bytes]*' sandpool run --block-network --name flood \
    --output-limit 1KiB --on-output-limit end -- yes
check "with its own cause" 0 '*"cause" : "output_limit"*' sandpool show --json flood
check "the limit on processes" 2 '*Cannot fork*' sandpool run --block-network --pids 8 -- \
    sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done; true'
check "the writable layer's size" 1 '*No space left on device*' sandpool run --block-network --disk 8MiB -- \
    dd if=/dev/zero of=/big bs=1M count=64 status=none
