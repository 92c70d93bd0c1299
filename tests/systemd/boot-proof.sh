#!/bin/sh
# Runs inside the booted root: starts what is to be proven, hangs the node, and writes what it saw to /proof.
set -u
show() { systemctl show --property=ActiveState,SubState,MainPID,NRestarts,Result "$1" >"/proof/$2" 2>&1; }
attempt() { # command …: until it succeeds, a minute at most
    tries=0
    until "$@" || [ $tries -ge 600 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
}
node_at_broker() { journalctl --output=cat --unit=mosquitto | grep -q ' as 00000010 '; }
central_at_broker() { journalctl --output=cat --unit=mosquitto | grep -q ' as 00000001 '; }
node_is_back() {
    [ "$(systemctl show --property=NRestarts --value watchlink-node)" -ge 1 ] && systemctl --quiet is-active watchlink-node
}

systemd-sysusers && systemd-tmpfiles --create
# A unit of Type=notify has started when it said READY.
systemctl start mosquitto watchlink-central watchlink-node
for unit in mosquitto watchlink-central watchlink-node; do show $unit $unit.started; done
attempt node_at_broker
attempt central_at_broker
journalctl --output=cat --unit=mosquitto >/proof/broker-log
stat --format='%U %a %n' /var/lib/watchlink-node/signing.key >/proof/identity
pid=$(systemctl show --property=MainPID --value watchlink-node)
grep -E '^(NoNewPrivs|Seccomp|CapEff):' "/proc/$pid/status" >/proof/process
kill -STOP "$pid"
attempt node_is_back
show watchlink-node watchlink-node.restarted
journalctl --output=cat --unit=watchlink-node >/proof/node-log
systemctl stop watchlink-node watchlink-central mosquitto
for unit in mosquitto watchlink-central watchlink-node; do show $unit $unit.stopped; done
journalctl --no-pager --output=short-monotonic >/proof/journal
touch /proof/done
systemctl poweroff --no-block
