#!/bin/sh
# Runs inside the booted root: starts what is to be proven, hangs the node, and writes what it saw to /proof.
set -u
show() { systemctl show --property=ActiveState,SubState,MainPID,NRestarts,Result "$1" >"/proof/$2" 2>&1; }
attempt() { # command …: until it succeeds, two minutes at most
    give_up=$(($(date +%s) + 120))
    until "$@" || [ "$(date +%s)" -ge $give_up ]; do
        sleep 0.1
    done
}
node_at_broker() { journalctl --output=cat --unit=mosquitto | grep -q ' as CN=00000010,O=node '; }
node_is_connected() { systemctl show --property=StatusText --value watchlink-node | grep -q '; connected'; }
central_at_broker() { journalctl --output=cat --unit=mosquitto | grep -q ' as CN=00000001,O=services '; }
is_back() { # unit times
    [ "$(systemctl show --property=NRestarts --value "$1")" -ge "$2" ] && systemctl --quiet is-active "$1"
}
is_linked() { grep --quiet '"is_linked":true' /run/watchlink-node/vitals.json; }
tells_card() { systemctl show --property=StatusText --value watchlink-node | grep --quiet ' card'; }
main_pid() { systemctl show --property=MainPID --value "$1"; }
state=/var/lib/watchlink-node
# The transmit key's line: a file that records a CM108's reports. The node keys for 30 s when it finds the file "over".
line_is() { [ "$(tail --bytes=5 $state/hidraw | od -An -tx1 | tr -d ' ')" = "$1" ]; }
is_keyed() { line_is 0000040400; }
is_unkeyed() { line_is 0000000400; }
ms() { echo $(($(date +%s%N) / 1000000)); }
written_ms() { echo $(($(date --reference=$state/hidraw +%s%N) / 1000000)); } # not when this script saw it
by_hand_ms=125 # what the command to put the line off takes here; measured where it alone is left to do it
mid_over() { # name command …: the command in the middle of an over, and for how many ms the line stayed on
    name=$1
    shift
    attempt is_unkeyed
    touch $state/over
    attempt is_keyed
    is_keyed || return
    [ "$name" != slain ] || stop_guard
    from=$(ms)
    "$@" &
    attempt is_unkeyed
    is_unkeyed && echo $((125 * ($(written_ms) - from) / by_hand_ms)) >>"/proof/unkeyed.$name"
    wait $!
}
was_within() { # ms name: whether the line was off so soon after the last command of that name
    [ "$(tail --lines=1 "/proof/unkeyed.$2")" -le "$1" ]
}
is_anew() { # pid: whether another one has taken its place, and is ready
    [ "$(main_pid watchlink-node)" != "$1" ] && systemctl --quiet is-active watchlink-node
}
stop_guard() { # lest it lets go while the node dies
    grep --files-with-matches '[p]tt_guard' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | while read -r pid; do
        kill -STOP "$pid"
    done
}

# shellcheck source=/dev/null
. /documented.sh
# shellcheck source=/dev/null
. /runbook.sh
PATH=/opt/watchlink/bin:$PATH
mkdir -p /media/CARD
runbook_first_town_1
runbook_first_town_2
backups_setting_up_central_s_backups_1
tr -d '\r' </proof/said.setting_up_central_s_backups_1 | sed -n '/^\[backup\]/,$p' \
    >>/var/lib/watchlink-central/central/central.toml # as an engineer does
runbook_first_town_3
runbook_adding_a_shop_1
for name in Bakery Butcher; do
    watchlink fleet add --dir /srv/town --premises $name --place Square --scheme hart --with-keys >>/proof/added 2>&1
done
watchlink fleet add --dir /srv/town --premises Florist --place Square --scheme hart --profile fake >/proof/florist 2>&1
runbook_adding_a_shop_2
runbook_adding_a_shop_3
# A radio is fitted. The line as a crash of the whole machine may leave it. And eight weeks have passed.
systemctl stop watchlink-node
python3 /late.py /srv/town "$state"
cp "$state/client.pem" /proof/aged.pem
cat /line.toml >>$state/node.toml
printf '\0\0\4\4\0' >$state/hidraw
fitted_at=$(date +%s)
# A unit of Type=notify has started when it said READY.
watchlink node install >/proof/node-fitted 2>&1
for unit in mosquitto watchlink-central watchlink-enrol watchlink-node; do show $unit $unit.started; done
attempt node_at_broker
attempt central_at_broker
journalctl --output=cat --unit=mosquitto >/proof/broker-log
for unit in mosquitto watchlink-central; do # field 41 of each thread: 2 is SCHED_RR
    cut -d' ' -f41 "/proc/$(main_pid $unit)"/task/*/stat | sort -u >"/proof/$unit.policy"
done
stat --format='%U %a %n' /var/lib/watchlink-node/signing.key >/proof/identity
pid=$(main_pid watchlink-node)
watchlink node install --from /media/CARD >/proof/node-again 2>&1
printf '%s\n%s\n' "$pid" "$(main_pid watchlink-node)" >>/proof/node-again
grep -E '^(NoNewPrivs|Seccomp|CapEff):' "/proc/$pid/status" >/proof/process
od -An -tx1 -v -w5 $state/hidraw >/proof/line-at-start
attempt node_is_connected
watchlink node check --json >/proof/check # without its place, as the fleet page has it
mkdir /proof/bundle
/opt/watchlink/bin/watchlink node diagnose --config $state/node.toml --to /proof/bundle >/proof/diagnose 2>&1
attempt is_linked
stat --format='%U %a %n' /run/watchlink-node /run/watchlink-node/vitals.json >/proof/vitals-files
cp /run/watchlink-node/vitals.json /proof/vitals
# Played: the card's own program. The node reads its file at each start.
mkdir -m 755 /run/watchlink-appliance
printf '{"version":"0.1.0.5","slot":"a","compatible":"watchlink-pc","card":"it wears out"}' >/run/watchlink-appliance/system.json
# The best of three counts, or of ten where a busy machine has a bar of one second.
for times in 1 2 3; do
    pid=$(main_pid watchlink-node)
    mid_over hung kill -STOP "$pid"
    attempt is_anew "$pid"
    [ $times = 1 ] && show watchlink-node watchlink-node.restarted
    was_within 11000 hung && break # its watchdog's time, and a second
done
attempt tells_card
systemctl show --property=StatusText --value watchlink-node >/proof/card-told
rm -r /run/watchlink-appliance
for _ in 1 2 3 4 5 6 7 8 9 10; do
    pid=$(main_pid watchlink-node)
    mid_over killed kill -KILL "$pid"
    attempt is_anew "$pid"
    was_within 1000 killed && break
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
    systemctl start watchlink-node
    mid_over stopped systemctl stop watchlink-node
    was_within 1000 stopped && break
done
# With no second start either, the unit's stop action alone is left to put the line off.
mkdir -p /run/systemd/system/watchlink-node.service.d
printf '[Service]\nRestart=no\n' >/run/systemd/system/watchlink-node.service.d/no-restart.conf
systemctl daemon-reload
for _ in 1 2 3 4 5 6 7 8 9 10; do
    systemctl start watchlink-node
    # A busy machine takes longer for both: the time counts as on one that needs an eighth of a second by hand.
    from=$(ms)
    watchlink node unkey --config $state/node.toml
    by_hand_ms=$(($(ms) - from))
    [ $by_hand_ms -gt 125 ] || by_hand_ms=125
    mid_over slain systemctl kill --kill-whom=all --signal=KILL watchlink-node # node and guard at one stroke
    attempt systemctl --quiet is-failed watchlink-node
    systemctl show --property=ExecStopPost watchlink-node >/proof/stop-action
    was_within 1000 slain && break
done
systemctl start watchlink-node
journalctl --output=cat --unit=watchlink-node --since=@"$fitted_at" >/proof/node-log
udevadm verify /etc/udev/rules.d/*watchlink* >/proof/udev 2>&1
runbook_adding_a_shop_4
runbook_adding_a_shop_5
runbook_a_stolen_node_1
runbook_certificate_expiry_1
# By their timers every day. What lacks its key, as after a power cut, is due at once.
rm /srv/town/central/client.key /srv/town/broker/server.key
for unit in watchlink-fleet-lists watchlink-enrol-list; do
    systemctl start $unit
    journalctl --sync # Its last line may still be on its way.
    journalctl --output=cat --unit=$unit >/proof/$unit.log
done
own=/var/lib/watchlink-enrol/enrolment broker=/etc/watchlink/broker
# A power cut between the broker's new key and its certificate.
cat $broker/server.key $broker/server.pem >$broker/.server.pem.arriving
cat /var/lib/watchlink-central/central/client.key >$broker/server.key
systemctl restart mosquitto
show mosquitto mosquitto.settled
for file in $broker/crl.pem $broker/acl $broker/server.key $own/changed/register.json $own/nodes.key; do
    setpriv --reuid=watchlink-central --regid=watchlink-central --init-groups test -r "$file" &&
        basename "$file" >>/proof/read-by-central
done
watchlink fleet pack --dir /srv/town --to /town.tar >/proof/packed 2>&1
# shellcheck source=tests/systemd/office-proof.sh
. /office-proof.sh
# shellcheck source=tests/systemd/loss-proof.sh
. /loss-proof.sh
restore_office
# shellcheck source=tests/systemd/check-proof.sh
. /check-proof.sh
systemctl stop watchlink-node watchlink-central watchlink-enrol mosquitto
for unit in mosquitto watchlink-central watchlink-enrol watchlink-node; do show $unit $unit.stopped; done
journalctl --no-pager --output=short-monotonic >/proof/journal
touch /proof/done
systemctl poweroff --no-block
