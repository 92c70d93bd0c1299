#!/bin/sh
# Runs inside the booted root: central and notifier, set up as docs/notifier.md says, from a town of the test's (/town).
set -u
own=/var/lib/watchlink-notifier central=/var/lib/watchlink-central/central
socket=/run/watchlink-notifier/notifier.socket
attempt() { # command …: until it succeeds, two minutes at most
    give_up=$(($(date +%s) + 120))
    until "$@" || [ "$(date +%s)" -ge $give_up ]; do
        sleep 0.1
    done
}
link() { # its number in the kernel
    ss --unix --no-header state connected | awk '$5 ~ /notifier.socket$/ { print $6 }'
}
is_linked() { [ -n "$(link)" ]; }
is_another() { is_linked && [ "$(link)" != "$1" ]; }
is_back() { [ "$(systemctl show --property=NRestarts --value watchlink-notifier)" -ge 1 ] && systemctl --quiet is-active watchlink-notifier; }
show() { systemctl show --property=ActiveState,SubState,NRestarts,Result "$1" >"/proof/$2"; }
as() { setpriv --reuid="$1" --regid="$(id --group "$1")" --init-groups python3 /knock.py $socket "$1" >>/proof/knocked 2>&1; }

systemd-sysusers && systemd-tmpfiles --create
systemctl start watchlink-notifier
systemctl is-active watchlink-notifier >/proof/unconfigured
cp -r /town/central /var/lib/watchlink-central/
cp /notifier.toml /sms.url $own/
cat /central.toml >>$central/central.toml
systemd-tmpfiles --create
systemctl start watchlink-notifier watchlink-central
attempt is_linked
for unit in watchlink-notifier watchlink-central; do show $unit $unit.started; done
stat --format='%U %a %n' $own/* $socket >/proof/files
before=$(link)
for user in root watchlink-node nobody; do as $user; done
link >/proof/link
echo "$before" >>/proof/link
systemctl kill --signal=KILL watchlink-notifier
attempt is_back
attempt is_another "$before"
is_another "$before" && touch /proof/linked-again
systemctl stop watchlink-notifier
for unit in watchlink-notifier watchlink-central; do show $unit $unit.stopped; done
for unit in watchlink-notifier watchlink-central; do journalctl --output=cat --unit=$unit >/proof/$unit.log; done
touch /proof/done
systemctl poweroff --no-block
