# Disks as directories with a limit, where the launcher's data is on a file system that enforces project quotas.
data=/var/lib/sandpool/launcher

# on_disk FORMAT-COMMAND MOUNT-OPTIONS: the services, with the launcher's data on a file system of its own.
on_disk() {
    systemctl stop sandpool-worker sandpool-launcher
    truncate -s 400M /var/tmp/data.img
    $1 /var/tmp/data.img
    mount -o "loop,$2" /var/tmp/data.img $data
    systemctl start sandpool-launcher sandpool-worker
    await "the worker on a file system with $2" "sandpool worker ls | grep -q connected"
}
off_disk() {
    systemctl stop sandpool-worker sandpool-launcher
    await "the end of the mount" "umount $data"
    rm /var/tmp/data.img
}
# As `await`, for a check that counts.
becomes() {
    check "$1" 0 '' timeout 60 bash -c "until $2; do sleep 0.2; done 2>/dev/null"
}
big="sandpool run --block-network --memory 48MiB --disk 64MiB"
# hold NAME OPTION…: a job that fills its disk and stays.
hold() {
    sandpool submit --block-network --name "$@" --rerun never --memory 48MiB \
        --disk 64MiB -- sh -c 'dd if=/dev/zero of=/big bs=64k 2>/dev/null; echo held; sleep 600' >/dev/null
    await "a full disk of $1" "sandpool logs $1 | grep -q held"
}
records="$here/quota-records $data | grep -c 'limited to 65536 KiB'"

# A second launcher, with its data on the same file system as the first one's and with the same range of project ids.
twin=$(python3 -c '
def base(path):
    number = 0xcbf29ce484222325
    for byte in f"projects of {path}".encode() + b"\0": number = (number ^ byte) * 0x100000001b3 % 2**64
    return number % 2**14
print(next(path for path in map("/srv/twin{}".format, range(10**6))
           if base(path + "/launcher") == base("/var/lib/sandpool/launcher")))')
twin_up() {
    mkdir -p $data/twin $twin/launcher
    mount --bind $data/twin $twin/launcher
    sandpool token create --role worker twin-$kind >/run/twin.token
    sandpool worker start --coordinator http://127.0.0.1:7420 --token-file /run/twin.token --name twin-$kind \
        --data-dir $twin --cpus 1 --memory 128MiB --label twin=$kind >/run/twin.log 2>&1 &
    twin_worker=$!
    await "the second launcher's worker" "sandpool worker ls | grep 'twin-$kind .*connected' | grep -qv disconnected"
}
twin_down() {
    kill -TERM $twin_worker
    wait $twin_worker
    await "the end of the second launcher" "umount $twin/launcher"
    sandpool worker forget twin-$kind >/dev/null
    rm -rf $twin $data/twin
}

for kind in ext4 xfs; do
    case $kind in
    ext4) on_disk "mkfs.ext4 -q -O quota,project" prjquota ;;
    xfs) on_disk "mkfs.xfs -q" pquota ;;
    esac
    check "$kind: doctor says so" 0 "*ok       big disks*directories with a project quota at $data*" \
        sandpool doctor
    check "$kind: its size is what df shows" 0 64 $big -- sh -c 'df -m --output=size / | tail -1 | tr -d " "'
    for size in 64k 16M; do
        check "$kind: a disk that is full, by writes of $size" 1 '*disk_limit: limit 64MiB*' \
            $big -v --name full-$kind-$size -- dd if=/dev/zero of=/big bs=$size
        check "$kind: its cause and evidence" 0 '*"writableLayer" : "project_quota"*"cause" : "disk_limit"*' \
            sandpool show --json full-$kind-$size
        check "$kind: no more was written than it may" 0 '' $here/disk-bytes full-$kind-$size 50000000 67108864
    done
    check "$kind: the same in /tmp" 1 '*disk_limit: limit 64MiB*' $big -v -- dd if=/dev/zero of=/tmp/big bs=64k
    check "$kind: files are limited, too" 1 '*disk_limit: * files and directories, the most for 64MiB*' \
        $big -v -- sh -c 'cd /tmp && seq 9999 | xargs touch || exit 1'
    check "$kind: a file keeps its project" 0 'Operation not supported Operation not supported' $big -- python3 -c '
import fcntl, os, struct
def said(request, argument):
    try: fcntl.ioctl(os.open("/etc/passwd", os.O_RDONLY), request, argument)
    except OSError as error: return os.strerror(error.errno)
print(said(0x401c5820, bytes(28)), said(0x40086602, struct.pack("q", 0)))'
    head -c 30000000 /dev/urandom >/tmp/large
    check "$kind: a file that is too big is not let in" 125 '*No space left on device*' sandpool run --block-network \
        --memory 24MiB --disk 24MiB --mount /tmp/large:/file -- true
    rm -rf /tmp/got
    check "$kind: downloads" 3 '*' $big --download /out:/tmp/got -- sh -c 'echo there >/out; exit 3'
    check "$kind: what was downloaded" 0 there cat /tmp/got

    # Beside one that holds all it may, another finds all of its own.
    hold holder-$kind
    check "$kind: two do not see each other's use" 0 fits $big -- sh -c 'head -c 50000000 /dev/zero >/x && echo fits'
    becomes "$kind: one directory is in use" "[ \$(ls $data/projects | wc -l) = 1 ]"
    check "$kind: and one record" 0 '*limited to 65536 KiB*' $here/quota-records $data

    # What an administrator says of the first ids that the next launcher would take.
    check "$kind: another's limits in the launcher's range" 0 '' \
        $here/quota-records $data "$(ls $data/projects | head -1)" 1000
    systemctl kill -s KILL sandpool-launcher
    becomes "$kind: what a killed launcher left is removed" "[ -z \"\$(ls -A $data/projects)\" ]"
    becomes "$kind: and its record" "! $here/quota-records $data | grep -v 'limited to 1000 KiB'"
    await "the worker again" "sandpool worker ls | grep -q connected"
    check "$kind: a sandbox after it" 4 '' $big -- sh -c 'exit 4'
    becomes "$kind: nothing is left of that" \
        "! { ls -A $data/projects; $here/quota-records $data; } | grep -v ': 0 bytes, 0 inodes, limited to 1000 KiB'"
    check "$kind: what was another's stays" 0 3 sh -c "$here/quota-records $data | grep -c 'limited to 1000 KiB'"

    # Some more than it asks for, and less than it and the reserve.
    fallocate -l $(($(df -B1 --output=avail $data | tail -1) - 70000000)) $data/filler
    check "$kind: what there is no room for is refused before it starts" 125 '*left*are kept for others*' $big -- true
    rm $data/filler

    hold first-$kind
    twin_up
    check "$kind: the second launcher has directories, too" 0 64 \
        $big --require twin=$kind -- sh -c 'df -m --output=size / | tail -1 | tr -d " "'
    hold second-$kind --require twin=$kind
    check "$kind: two launchers with one range of ids have two ids" 0 2 \
        sh -c "ls $data/projects $data/twin/projects | sort -u | grep -c '^[0-9]'"
    check "$kind: and a limit each" 0 2 sh -c "$records"
    pkill -KILL -f -- "--data-dir $twin/launcher"
    check "$kind: the end of the second one is not the first one's" 0 1 sh -c "ls $data/projects | wc -l"
    sandpool cancel first-$kind >/dev/null
    becomes "$kind: until its own end" "[ -z \"\$(ls -A $data/projects)\" ]"
    twin_down
    off_disk
done

# What is counted and not enforced is no limit.
on_disk "mkfs.ext4 -q -O quota,project" rw
check "without prjquota a disk is an image" 1 '*disk_limit: limit 64MiB*' $big -v --name counted -- \
    dd if=/dev/zero of=/big bs=64k
check "and says so" 0 '*"writableLayer" : "loop"*' sandpool show --json counted
off_disk
systemctl start sandpool-launcher sandpool-worker
await "the worker" "sandpool worker ls | grep -q connected"
