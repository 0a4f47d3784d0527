# How much systemd thinks each unit could still do: 0 is nothing, 10 is everything.
for most in coordinator:12 launcher:70 worker:64; do
    unit=sandpool-${most%:*}.service
    systemd-analyze security --no-pager "$unit" | tail -1
    check "$unit is no more exposed than it was" 0 '*' systemd-analyze security --threshold="${most#*:}" "$unit"
done
check "the worker's user has the ids that it lacked" 0 '*ok       subordinate ids*' sandpool doctor
check "the worker has no capability" 0 $'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000' \
    sh -c "grep -E '^Cap(Inh|Prm|Eff)' /proc/$(systemctl show -P MainPID sandpool-worker)/status"
