#!/bin/sh
# Runs inside the booted root: a unit's gallery, from files that a town of the test's has made (/unit).
set -u
unit=watchlink-gallery
node=/var/lib/watchlink-node
in_unit() { # command …: sees the files that the unit sees
    nsenter --target "$(systemctl show --property=MainPID --value $unit)" --mount -- "$@"
}
page() { # URL without http://: what a screen on the unit itself is shown
    python3 -c 'import sys, urllib.request as u; sys.stdout.write(u.urlopen("http://" + sys.argv[1], timeout=20).read().decode())' "$1"
}
states() { # unit …
    for one in "$@"; do systemctl is-active "$one"; done
}
sockets="$unit-http.socket $unit-https.socket"
pid() { systemctl show --property=MainPID --value $unit; }
until_answers() { # URL
    for _ in $(seq 300); do page "$1" >/dev/null 2>&1 && return; sleep 0.1; done
}

systemd-sysusers && systemd-tmpfiles --create
systemctl start $unit
systemctl is-active $unit >/proof/unconfigured
states $sockets >/proof/ports-before
cp /unit/* $node/
chown watchlink-node:watchlink-node $node/*
chmod 600 $node/*.key
systemctl start $unit
systemctl is-active $unit >/proof/started
page localhost:8445 >/proof/page 2>&1
states $sockets >/proof/ports
page 127.0.0.1/fit >/proof/fit 2>&1
page '[::1]/fit' >/proof/fit-6 2>&1
page localhost >/proof/screen 2>&1
python3 -c 'import socket; socket.create_connection(("127.0.0.1", 443), 5); print("443 is open")' >/proof/tls 2>&1
sed -n 's/^CapBnd:\t//p' "/proc/$(pid)/status" >/proof/rights
systemctl show --property=StatusText --value $unit >/proof/status
in_unit find $node /run/watchlink-node -mindepth 1 >/proof/seen 2>/dev/null
stat --format='%U %G %a' /var/lib/watchlink-gallery/card/gallery.db >/proof/store
stat --format='%U %a' /run/credentials/$unit.service/gallery.key >/proof/handed
# What a renewal does beside, with the certificate of before, and with a newer one.
sed -n 's/^ExecStartPost=-+\/bin\/sh -c "\(.*\)"$/\1/p' /etc/systemd/system/watchlink-node-renew.service >/run/after-renewal
first=$(pid)
sh /run/after-renewal && [ "$(pid)" = "$first" ] && echo "goes on" >/proof/renewals
sleep 1
touch $node/gallery.pem
sh /run/after-renewal && [ "$(pid)" != "$first" ] && systemctl is-active $unit >>/proof/renewals
systemctl kill --signal=SIGKILL $unit
sleep 1
until_answers 127.0.0.1/fit
page 127.0.0.1/fit >/proof/fit-after-kill 2>&1
systemctl stop $unit
states $sockets >/proof/ports-after
# Another program has port 80 first, until it is stopped.
systemd-run --quiet --unit=other python3 -m http.server 80
sleep 2
systemctl start $unit
states $sockets $unit >/proof/taken
page localhost:8445 >/proof/page-taken 2>&1
systemctl stop other
systemctl restart $unit
page 127.0.0.1/fit >/proof/fit-freed 2>&1
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
