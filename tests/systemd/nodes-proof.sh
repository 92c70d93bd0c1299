#!/bin/sh
# Runs inside the booted root: the office's machine port, from files that a town of the test's has made (/town).
set -u
unit=watchlink-office-nodes
office=/var/lib/watchlink-office
in_unit() { # command …: sees the files that the unit sees
    nsenter --target "$(systemctl show --property=MainPID --value $unit)" --mount -- "$@"
}

systemd-sysusers && systemd-tmpfiles --create
mkdir --parents /etc/watchlink/broker
cp /town/crl.pem /etc/watchlink/broker/
cp /town/authority.pub /town/directory.json $office/
cp /town/nodes/server.pem /town/nodes/server.key /town/nodes/gallery.key $office/publisher/
cp /town/nodes/photographs.key $office/keys/
cp /town/nodes/ca.pem $office/nodes/
cp /town/snapshots/* $office/snapshots/
# As installation and publisher leave them: read by their groups, and by nobody else.
chmod 600 $office/publisher/* $office/keys/*
chmod 640 $office/snapshots/*
chgrp watchlink-central /etc/watchlink/broker
chmod 710 /etc/watchlink/broker
systemd-tmpfiles --create

systemctl start $unit
systemctl is-active $unit >/proof/unconfigured
cp /documented.toml $office/nodes/nodes.toml
systemctl start $unit
python3 /ask.py /town $office/directory.json >/proof/answer 2>/proof/asking
for name in data keys publisher office.toml; do
    in_unit find $office/$name -mindepth 1 >>/proof/seen 2>/dev/null
done
for name in data keys publisher snapshots nodes nodes/state; do
    in_unit test -w $office/$name && echo $name >>/proof/writable
done
stat --format='%U %G %a' $office/nodes/state/nodes.sqlite3 >/proof/store
systemctl stop $unit
systemctl show --property=Result --value $unit >/proof/result
journalctl --output=cat --unit=$unit >/proof/log
touch /proof/done
systemctl poweroff
