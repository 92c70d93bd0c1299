#!/bin/sh
# Runs inside the booted root: a node with a radio and no network is pressed, killed mid-over, and let finish afterwards.
set -u
state=/var/lib/watchlink-node
attempt() { # command …: until it succeeds, two minutes at most
    give_up=$(($(date +%s) + 120))
    until "$@" || [ "$(date +%s)" -ge $give_up ]; do
        sleep 0.1
    done
}
line_is() { [ "$(tail --bytes=5 $state/hidraw | od -An -tx1 | tr -d ' ')" = "$1" ]; }
is_keyed() { line_is 0000040400; }
is_unkeyed() { line_is 0000000400; }
ms() { echo $(($(date +%s%N) / 1000000)); }
written_ms() { echo $(($(date --reference=$state/hidraw +%s%N) / 1000000)); } # not when this script saw it
ended() { # how many overs have ended by themselves
    journalctl --sync
    journalctl --output=cat --unit=watchlink-node | grep --count '"fact": "over_ended"'
}
has_ended_more() { [ "$(ended)" -gt "$1" ]; }
python() { PYTHONPATH=/opt/watchlink/lib python3 "$@"; }

systemd-sysusers && systemd-tmpfiles --create
touch $state/hidraw
chown watchlink-node: $state/hidraw
python /sound-bench.py &
attempt test -p /run/sound-out
systemctl start watchlink-node
stat --format='%U %a %n' $state/signing.key >/proof/identity
sleep 2 # for the codecs and the sound device; an alert before that would only wait for them
from=$(ms)
python /press.py $state/board.sock
before=0
for _ in 1 2 3; do # on a busy machine the best of three counts; the alert is on disk, and the next run sends it again
    attempt is_keyed
    is_keyed || break
    echo $(($(ms) - from)) >>/proof/keyed
    systemd-cgls --no-pager --unit watchlink-node.service >/proof/processes 2>&1
    before=$(ended)
    from=$(ms)
    kill -KILL "$(systemctl show --property=MainPID --value watchlink-node)"
    attempt is_unkeyed
    is_unkeyed && echo $(($(written_ms) - from)) >>/proof/unkeyed
    [ "$(tail --lines=1 /proof/unkeyed)" -le 1000 ] && break
done
attempt has_ended_more "$before"
# As it is recorded: three seconds after the over it may be sent once more.
od -An -tx1 -v -w5 $state/hidraw >/proof/line
from=$(ms)
systemctl stop watchlink-node
echo $(($(ms) - from)) >/proof/stopped
systemctl show --property=ActiveState,Result watchlink-node >/proof/watchlink-node.stopped
journalctl --output=cat --unit=watchlink-node >/proof/node-log
journalctl --no-pager --output=short-monotonic >/proof/journal
touch /proof/done
systemctl poweroff --no-block
