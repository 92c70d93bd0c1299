#!/bin/sh
# Runs inside the booted root: a unit's gallery, from files that a town of the test's has made (/unit).
set -u
unit=watchlink-gallery
node=/var/lib/watchlink-node
in_unit() { # command …: sees the files that the unit sees
    nsenter --target "$(systemctl show --property=MainPID --value $unit)" --mount -- "$@"
}
page_within() { # seconds URL without http://: what a screen on the unit itself is shown, if it comes so soon
    python3 -c 'import sys, urllib.request as u; sys.stdout.write(u.urlopen("http://" + sys.argv[2], timeout=int(sys.argv[1])).read().decode())' "$@"
}
page() { page_within 60 "$1"; } # on a machine that may be busy
states() { # unit …
    for one in "$@"; do systemctl is-active "$one"; done
}
http=watchlink-gallery-http.socket
https=watchlink-gallery-https.socket
pid() { systemctl show --property=MainPID --value $unit; }
attempt() { # command …: until it succeeds, two minutes at most
    give_up=$(($(date +%s) + 120))
    until "$@" || [ "$(date +%s)" -ge $give_up ]; do
        sleep 0.1
    done
}
is_back() { # times
    [ "$(systemctl show --property=NRestarts --value $unit)" -ge "$1" ] && systemctl --quiet is-active $unit
}
is_anew() { [ "$(pid)" != "$1" ] && systemctl --quiet is-active $unit; }
are_shut() { ! systemctl --quiet is-active $http $https; }
is_gone() { [ ! -d "/proc/$1" ]; }
is_open() { # port
    python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)' "$1"
}

systemd-sysusers && systemd-tmpfiles --create
# The shop's network, with nobody else in it.
ip address add 192.168.77.1/24 dev lo
ip route add 224.0.0.0/4 dev lo
systemctl start $unit
systemctl is-active $unit >/proof/unconfigured
states $http $https >/proof/ports-before
cp /unit/* $node/
chown watchlink-node:watchlink-node $node/*
chmod 600 $node/*.key
systemctl start $unit
systemctl is-active $unit >/proof/started
page localhost:8445 >/proof/page 2>&1
states $http $https >/proof/ports
page 127.0.0.1/fit >/proof/fit 2>&1
page '[::1]/fit' >/proof/fit-6 2>&1
page localhost >/proof/screen 2>&1
is_open 443 >/proof/tls 2>&1 && echo "443 is open" >>/proof/tls
systemctl restart avahi-daemon
attempt python3 /who_is.py watchlink-00000010.local >/proof/named-at-last
tail --lines=1 /proof/named-at-last >/proof/named
python3 /who_is.py "$(hostname).local" >/proof/named-otherwise
name_pid=$(systemctl show --property=MainPID --value avahi-daemon)
echo "$(stat --format=%U "/proc/$name_pid") $(sed -n 's/^CapBnd:\t//p' "/proc/$name_pid/status")" >/proof/avahi-rights
systemd-analyze security --no-pager avahi-daemon | sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p' >/proof/avahi-exposure
echo "192.168.77.1 watchlink-00000010.local" >>/etc/hosts
page watchlink-00000010.local/fit >/proof/fit-by-name 2>&1
page watchlink-00000010.local/status >/proof/shown-by-name 2>&1
journalctl --output=cat --unit=avahi-daemon >/proof/avahi
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
first=$(pid)
systemctl kill --signal=SIGKILL $unit
attempt is_anew "$first"
page 127.0.0.1/fit >/proof/fit-after-kill 2>&1
# The stop is done before those of its ports, which follow from it.
systemctl stop $unit
attempt are_shut
states $http $https >/proof/ports-after
# Another program has port 80 first, until it is stopped.
systemd-run --quiet --unit=other python3 -m http.server 80
attempt is_open 80 2>/dev/null
systemctl start $unit
states $http $https $unit >/proof/taken
page localhost:8445 >/proof/page-taken 2>&1
systemctl stop other
systemctl restart $unit
page 127.0.0.1/fit >/proof/fit-freed 2>&1
# Stopped as a whole; and with a core that loops, while its page goes on.
kill -STOP "$(pid)"
page_within 12 localhost:8445 >/proof/page-stopped 2>&1 # as long as a screen waits
attempt is_back 1
page localhost:8445 >/proof/page-after-stopped 2>&1
first=$(pid)
touch /run/core-loops
attempt is_gone "$first"
rm /run/core-loops
attempt is_back 2
page localhost:8445 >/proof/page-after-looping 2>&1
systemctl show --property=NRestarts --value $unit >/proof/restarts
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
