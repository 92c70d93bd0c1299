#!/bin/sh
# Part of boot-proof.sh: sets the office up with the command of docs/office.md (/documented.sh), lets its first
# co-ordinator join, prints a notice, kills all programs, restores a backup, and writes what it saw to /proof.
set -u
office=/var/lib/watchlink-office
units='watchlink-office watchlink-office-publish'
papers=watchlink-office-papers
as() { # user command …: as systemd starts a unit of that user's
    user=$1
    shift
    setpriv --reuid="$user" --regid="$user" --init-groups "$@"
}
in_unit() { # unit command …: sees the files that the unit sees
    unit=$1
    shift
    nsenter --target "$(main_pid "$unit")" --mount -- "$@"
}
probe_in() { # unit file-in-/proof argument…: /unit-probe.py as systemd would run it there, behind all of its locks
    unit=$1
    said=$2
    shift 2
    sed -e "s|^ExecStart=.*|ExecStart=/usr/bin/python3 /unit-probe.py $*|" \
        -e "s|^Type=.*|Type=oneshot\nStandardOutput=file:/proof/$said|" \
        -e '/^Restart/d; /^WatchdogSec/d; /^RuntimeDirectory/d' \
        "/etc/systemd/system/$unit.service" >/run/systemd/system/probe.service
    systemctl daemon-reload
    systemctl start probe
}
people_at_central() { # the newest list; for a moment the one before is there too
    find /var/lib/watchlink-central/central/snapshots -name 'people-*' 2>/dev/null | sort --version-sort | tail --lines=1
}
# Of a copy: the next one may take its place at any moment.
copy_of_central() { people=$(people_at_central) && cp "$people" /proof/people.newest 2>/dev/null; }
central_has_cora() { copy_of_central && grep --quiet '"cora"' /proof/people.newest; }
note_list_without_cora() { copy_of_central && ! grep '"cora"' /proof/people.newest && echo "$people" >>/proof/office-at-central; }

# As a person does: the names of the pages lead to this machine.
echo '127.0.0.1 office.example.org' >>/etc/hosts
journals() { for unit in $units $papers probe; do journalctl --output=cat --unit="$unit" >"/proof/$unit.log"; done; }
if ! install_office >/proof/office-founded 2>&1; then
    journals
    return
fi
for unit in $units $papers; do
    show "$unit" "$unit.started"
    grep -E '^(NoNewPrivs|Seccomp|CapEff):' "/proc/$(main_pid "$unit")/status" >"/proof/$unit.process"
done
(cd $office && stat --format='%A %U %G %n' office.toml keys/* publisher/snapshot.* data snapshots) >/proof/office-files
for unit in $units $papers; do
    for key in keys/pages.key keys/photographs.key keys/ticket.key keys/ticket.pub publisher/snapshot.key; do
        as "$unit" cat $office/$key >/dev/null 2>&1 && echo "$unit $key" >>/proof/office-readable-by-user
        # Even root finds nothing there.
        in_unit "$unit" test -s $office/$key && echo "$unit $key" >>/proof/office-readable-in-unit
    done
    for folder in data keys publisher snapshots; do
        in_unit "$unit" test -w $office/$folder && echo "$unit $folder" >>/proof/office-writable-in-unit
    done
done
secrets=$(find $office/office.toml $office/data/*.sqlite3 $office/keys $office/publisher/snapshot.* -type f | sort)
# shellcheck disable=SC2086 # a list
as $papers python3 /unit-probe.py reach /order.json $secrets >/proof/papers-reach-by-user
# shellcheck disable=SC2086
probe_in $papers papers-reach-in-unit reach /order.json $secrets /var/lib/watchlink-central/central/central.toml :8090
probe_in watchlink-office photographs photographs /photograph.jpg /bomb.png
as watchlink-office python3 /unit-probe.py notice >/proof/notice.pdf
as watchlink-office-publish python3 /unit-probe.py notice >/proof/notice-of-others
# As docs/office.md has it: by its unit beside running programs, and the keys by root.
cat /office-backup.toml >>$office/office.toml
systemctl start watchlink-office-backup
journalctl --sync # Its last line may still be on its way.
journalctl --output=cat --unit=watchlink-office-backup >/proof/office-backup-log
watchlink office backup-keys --config $office/office.toml >>/proof/office-backup-log 2>&1
stat --format='%U %a' /var/backups/watchlink-office/*.age $office/snapshots/backup.json >/proof/office-backup

runbook_the_office_1
python3 /co-ordinator.py join "$(grep --only-matching 'http.*/join/.*' /proof/office-founded)" >/proof/office-visit 2>&1
attempt central_has_cora
cp $office/publisher/snapshot.pub /proof
cp /proof/people.newest /proof/people.json

for unit in $units $papers; do kill -KILL "$(main_pid "$unit")"; done
for unit in $units $papers; do
    attempt is_back "$unit" 1
    show "$unit" "$unit.restarted"
done
watchlink office audit verify --config $office/office.toml >/proof/office-audit 2>&1
as watchlink-office python3 /unit-probe.py notice >/proof/notice-again.pdf

restore_office() {
    stop_for_restore
    systemctl stop $papers
    for unit in $units $papers; do show "$unit" "$unit.stopped"; done
    people_at_central >/proof/office-at-central
    # The disk is lost; the folders are those of a new installation.
    find $office/data $office/keys $office/publisher $office/snapshots -mindepth 1 -delete
    restore >/proof/office-restored 2>&1
    attempt note_list_without_cora
    for unit in $units; do show "$unit" "$unit.restored"; done
    journals
}
