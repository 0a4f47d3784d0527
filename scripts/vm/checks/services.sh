# The units as deploy/ has them, started as the README says.
systemd-sysusers
systemctl daemon-reload
systemctl start sandpool-coordinator
check "the coordinator is up" 0 active systemctl is-active sandpool-coordinator
export SANDPOOL_TOKEN_FILE=/var/lib/sandpool/coordinator/admin.token
await "the coordinator" "sandpool worker ls"
check "doctor names the ids that the worker's user lacks" 0 '*missing  subordinate ids*usermod --add-subuids*' \
    sandpool doctor

install -D -m 0600 /usr/local/share/sandpool/worker.env.example /etc/sandpool/worker.env
sandpool token create --role worker vm >/etc/sandpool/worker.token
chown sandpool /etc/sandpool/worker.token
chmod 0400 /etc/sandpool/worker.token
namespaces=$(lsns -n -o NS -t net -t pid -t ipc | wc -l)
systemctl start sandpool-launcher sandpool-worker
await "the worker" "sandpool worker ls | grep -q connected"
