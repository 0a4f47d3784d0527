# A Debian image, built by the unprivileged worker from the host's mirror while the checks go on. The first try is
# killed half-way, worker and all, and must not be in the way of the second.
sandpool submit --rerun safe --image mmdebstrap:bookworm --name debian -- sh -c '
    . /etc/os-release
    echo "$VERSION_CODENAME $(id -u)"
    python3 -c "import urllib.request as u; print(u.urlopen(\"http://203.0.113.1:8000/debian/dists/bookworm/Release\").status)"
' >/dev/null
await "the build" "test -d /var/lib/sandpool/worker/images/build-bookworm/mmdebstrap.*/etc/apt"
systemctl kill --signal=KILL --kill-who=all sandpool-worker
await "the worker's end" "! systemctl is-active sandpool-worker"
await "the worker's return" "systemctl is-active sandpool-worker"
