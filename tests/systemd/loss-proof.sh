#!/bin/sh
# Part of boot-proof.sh, once the office runs: the unit is pressed, renews its certificate by its timer and is pressed
# again. Then central's machine is lost, with broker and enrolment service, and another takes its place by the commands of
# docs/backups.md. What was seen is in /proof.
set -u
state=/var/lib/watchlink-node # as in boot-proof.sh
central=/var/lib/watchlink-central/central
press() { # name button: until the panel shows central's receipt
    python3 /shop.py "$state/board.sock" "$2" >"/proof/press.$1" 2>&1
}
claim() { # name file-with-its-label: another unit claims its premises, as its first start does
    node=$(tr -d '\r' <"$2" | sed -n 's/^ *Node  *//p' | tail -n 1)
    tr -d '\r' <"$2" | sed -n 's/^ *Claim code  *//p' | tail -n 1 >"/media/$1.code"
    mkdir -p "/media/$1" "/var/lib/unit-$1"
    {
        watchlink fleet seed --dir /srv/town "$node" --to "/media/$1" --code-file "/media/$1.code" &&
            watchlink node enrol --seed "/media/$1/watchlink-seed.json" --config "/var/lib/unit-$1/node.toml" \
                --profile fake --once
    } >"/proof/claimed.$1" 2>&1
}
session() { # the node's process, and how often a node of its name has connected to this broker
    main_pid watchlink-node
    journalctl --output=cat --unit=mosquitto | grep --count ' as CN=00000010,O=node '
}
renewals() { journalctl --output=cat --unit=watchlink-node-renew; }
is_renewed() { renewals | grep --quiet '^00000010: renewed\.'; }
newest() { sed -E 's/.*"([^"]*)"\].*/\1/' "/proof/journal.$1"; } # name: the last alert in that journal
board_has() { # name alert: the board, which follows the receipt in its own time
    python3 /co-ordinator.py board >"/proof/board.$1"
    grep --quiet "\"$2\"" "/proof/board.$1"
}
lost_is_back() { python3 /journal.py | grep --quiet "\"$lost\""; }

python3 /co-ordinator.py enter >/proof/entered 2>&1
press first attack
python3 /journal.py >/proof/journal.first
attempt board_has first "$(newest first)"
python3 /co-ordinator.py close >/proof/closed 2>&1

# Its timer is to look now, and not at some minute of the next hour.
session >/proof/session
soon=/run/systemd/system/watchlink-node-renew.timer.d
mkdir -p $soon
printf '[Timer]\nOnCalendar=\nRandomizedDelaySec=0\nAccuracySec=1ms\nOnActiveSec=1ms\n' >$soon/soon.conf
systemctl daemon-reload
systemctl restart watchlink-node-renew.timer
attempt is_renewed
renewals >/proof/renewed
cp "$state/client.pem" /proof/renewed.pem
stat --format='%U %a %n' "$state/client.key" >/proof/renewed.key
rm -r $soon
systemctl daemon-reload
systemctl restart watchlink-node-renew.timer
press second assist
session >>/proof/session
python3 /journal.py >/proof/journal.second
attempt board_has second "$(newest second)"
python3 /co-ordinator.py close >>/proof/closed 2>&1
systemctl restart watchlink-node
attempt node_is_connected

# The fleet has not collected this one when the machine is lost; and one press is younger than the backup.
claim butcher /proof/said.adding_a_shop_5
systemctl start watchlink-enrol-list
backups_setting_up_central_s_backups_2
stat --format='%U %a' /var/backups/watchlink-central/*.age >/proof/backup
cp /var/backups/watchlink-central/*.age /media
backups_setting_up_central_s_backups_3
press lost assist
python3 /journal.py >/proof/journal.lost
lost=$(newest lost)

# Of the machine nothing is left but what stands for others: the units, the fleet's folder, the office.
systemctl kill --signal=KILL mosquitto watchlink-central watchlink-enrol
systemctl stop mosquitto watchlink-central watchlink-enrol watchlink-door 'watchlink-central-*.timer' 'watchlink-enrol-*.timer'
rm -rf /etc/watchlink /var/lib/watchlink-central /var/lib/watchlink-enrol /var/lib/watchlink/installed.json \
    /var/lib/mosquitto/* /var/backups/watchlink-central /etc/systemd/system/mosquitto.service.d
find /etc/systemd/system /etc/sysusers.d /etc/tmpfiles.d -depth \
    \( -path '*/watchlink-central*' -o -path '*/watchlink-enrol*' -o -path '*/watchlink-door*' \) -delete
userdel watchlink-central
userdel watchlink-enrol
systemctl daemon-reload

watchlink fleet pack --dir /srv/town --to /town.tar >>/proof/packed 2>&1
watchlink central install --from /town.tar >/proof/installed-anew 2>&1
# Its hour has come before the register is back.
watchlink node renew --config "$state/node.toml" --now >/proof/renewed-meanwhile 2>&1
backups_restoring_central_1
stat --format='%U %a' $central/state/before-restore-* >/proof/aside
backups_the_enrolment_service_1
backups_the_enrolment_service_2
# As an engineer does who has compared the two.
cp $central/central.toml.of-* $central/central.toml
rm $central/*.of-*
systemctl restart watchlink-central
watchlink central install >>/proof/installed-anew 2>&1
systemctl start watchlink-central-backup
show watchlink-central watchlink-central.restored

attempt lost_is_back
python3 /co-ordinator.py board >/proof/board.signed-out
python3 /co-ordinator.py enter >>/proof/entered 2>&1
attempt board_has restored "$lost"
python3 /co-ordinator.py close >>/proof/closed 2>&1
press restored attack
python3 /journal.py >/proof/journal.restored
watchlink node renew --config "$state/node.toml" --now >/proof/renewed-again 2>&1
stat --format='%U %a %n' "$state/client.key" >>/proof/renewed.key
claim florist /proof/florist
watchlink node --config /var/lib/unit-florist/node.toml >/proof/florist.facts 2>&1 &
python3 /shop.py /var/lib/unit-florist/board.sock assist >/proof/press.florist 2>&1
python3 /journal.py >/proof/journal.last
attempt board_has last "$(newest last)"
kill $!
wait $!
journalctl --sync # Its last line may still be on its way.
journalctl --output=cat --unit=watchlink-node | grep '"fact"' >/proof/node-facts
