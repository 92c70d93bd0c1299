#!/bin/sh
# Part of boot-proof.sh, once all is installed and runs: what 'watchlink central check' says of it, of it broken, and of it
# mended by 'install'; and that 'install' leaves alone what is as it should be.
set -u
central=/var/lib/watchlink-central/central
printer=watchlink-office-papers
pids() { # of what an installation might have restarted
    for unit in mosquitto watchlink-central watchlink-office watchlink-office-publish $printer; do main_pid "$unit"; done
}
noted() { # name command …: what it says, and its status
    name=$1
    shift
    "$@" >"/proof/$name" 2>&1
    echo "status $?" >>"/proof/$name"
}

systemctl start $printer
noted check.whole watchlink central check
pids >/proof/pids
noted install.again watchlink central install --from /srv/town
pids >>/proof/pids

python3 /late.py /srv/town
chmod 644 $central/signing.key
systemctl disable watchlink-central 2>/dev/null
systemctl stop $printer
nft delete table inet watchlink_door
cp /late.pem $central/client.pem
cp /late-crl.pem /etc/watchlink/broker/crl.pem
watchlink central check --json >/proof/check.broken
chmod 600 $central/signing.key
noted install.mended watchlink central install --from /srv/town
systemctl restart watchlink-door
noted check.mended watchlink central check
