#!/bin/sh
# Runs inside the booted root: a unit's gallery, from files that a town of the test's has made (/unit).
set -u
unit=watchlink-gallery
node=/var/lib/watchlink-node
in_unit() { # command …: sees the files that the unit sees
    nsenter --target "$(systemctl show --property=MainPID --value $unit)" --mount -- "$@"
}
page() { # port: what a screen on the unit itself is shown
    python3 -c 'import sys, urllib.request as u; sys.stdout.write(u.urlopen("http://localhost:" + sys.argv[1]).read().decode())' "$1"
}

systemd-sysusers && systemd-tmpfiles --create
systemctl start $unit
systemctl is-active $unit >/proof/unconfigured
cp /unit/* $node/
chown watchlink-node:watchlink-node $node/*
chmod 600 $node/*.key
systemctl start $unit
systemctl is-active $unit >/proof/started
page 8445 >/proof/page 2>&1
systemctl show --property=StatusText --value $unit >/proof/status
in_unit find $node /run/watchlink-node -mindepth 1 >/proof/seen 2>/dev/null
stat --format='%U %G %a' /var/lib/watchlink-gallery/card/gallery.db >/proof/store
stat --format='%U %a' /run/credentials/$unit.service/gallery.key >/proof/handed
# What a renewal does beside, with the certificate of before, and with a newer one.
sed -n 's/^ExecStartPost=-+\/bin\/sh -c "\(.*\)"$/\1/p' /etc/systemd/system/watchlink-node-renew.service >/run/after-renewal
pid() { systemctl show --property=MainPID --value $unit; }
first=$(pid)
sh /run/after-renewal && [ "$(pid)" = "$first" ] && echo "goes on" >/proof/renewals
sleep 1
touch $node/gallery.pem
sh /run/after-renewal && [ "$(pid)" != "$first" ] && systemctl is-active $unit >>/proof/renewals
systemctl stop $unit
systemctl show --property=Result --value $unit >/proof/result
python3 - >/proof/ledger <<'END'
import sqlite3
print(sqlite3.connect("/var/lib/watchlink-gallery/card/gallery.db").execute("SELECT value FROM kv WHERE key = 'ledger'").fetchone()[0].decode())
END
cat /proc/sys/kernel/random/boot_id >/proof/boot
journalctl --output=cat --unit=$unit >/proof/log
touch /proof/done
systemctl poweroff
