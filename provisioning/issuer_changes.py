"""A new root, a new issuer, an issuer that is cut off: each a change of the whole fleet."""

from __future__ import annotations

import contextlib
from typing import Final

import msgspec

from provisioning.authorities import make_issuer, make_root, next_name
from provisioning.enforcement import PROOF_DEADLINE_S, Reload, end_sessions, enforce, standing
from provisioning.errors import FleetDamagedError, FleetError, FleetInputError
from provisioning.folder import FleetFolder
from provisioning.issuers import current_issuer, has_issuer, has_issuers, issuers_in_force
from provisioning.layout import CENTRAL_TEXT
from provisioning.office import renew_office
from provisioning.records import FleetRecord, IssuerRecord
from provisioning.renewal import renew_broker, renew_central, renew_nodes
from provisioning.unproven import proving
from wire.ids import CENTRAL_ALERTS_CLIENT
from wire.subjects import NODES, SERVICES

ORGANISATIONS: Final = (NODES, SERVICES)


def new_root(folder: FleetFolder, *, is_replacement: bool = False) -> bool:
    """Make a root with two issuers, which sign from now on, and new certificates for central.

    Certificates of before stay valid until they expire. The broker keeps a certificate that the nodes of before can
    verify, until none of them is left. Asked again, it finishes an interrupted change.

    Returns whether there is a new root; ``False`` = the fleet had one already, and this is no replacement.

    Raises:
        FleetDamagedError: an issuer's key is missing or unusable.
    """
    with folder.changing():
        record = folder.record
        is_new = is_replacement or not has_issuers(record)
        if is_new:
            root = make_root(folder.layout, folder.layout.town.name, record.issuers, folder.now())
            reads = "unknown" if record.broker.reads == "common name" else record.broker.reads
            broker = msgspec.structs.replace(record.broker, reads=reads)
            folder.commit(msgspec.structs.replace(record, issuers=(*record.issuers, *root.records), broker=broker))
        _renew_central(folder)
        _publish(folder)
        return is_new


def cut_off(folder: FleetFolder, name: str, reload: Reload, *, deadline_s: float = PROOF_DEADLINE_S) -> tuple[str, ...]:
    """Have the broker refuse every certificate of an issuer, and prove that it does, open sessions included.

    With the root's key at hand a new issuer takes its place at once. Each sender and server whose last certificate is
    of the one that is cut off, or may be, gets another. Running it again repeats the proof, and finishes what was
    interrupted.

    Returns who has new files to be carried: ids of nodes, ``central``, ``broker``, ``office``.

    Raises:
        FleetInputError: no such issuer, or none would be left and the root's key is not here; nothing was changed.
        BrokerUnprovenError: cut off, but the running broker was not seen to obey.
    """
    with folder.changing():
        issuer = find_issuer(folder, name)
        if not has_issuers(folder.record):
            raise FleetInputError(
                "This CA signs for everybody, the broker too. First make a root: 'watchlink fleet new-root'."
            )
        if issuer.cut_off_at is None:
            changed = msgspec.structs.replace(issuer, cut_off_at=folder.now())
            _refuse_last(folder, changed)
            _commit_issuer(folder, changed)
        with contextlib.suppress(FleetDamagedError):  # the root's key lies offline: a new issuer can wait, this cannot
            _replace(folder, issuer.organisation)
        # What the publisher trusts travels with its certificate.
        is_of_nodes = issuer.organisation == NODES
        renewed = _renew_cut_off(folder, is_office_due=not is_of_nodes, are_claimed_due=is_of_nodes)
        folder.publish()
        try:
            with proving(folder):
                enforce(folder, reload, deadline_s=deadline_s)
                _end_sessions(folder, issuer)
        except (FleetError, OSError) as e:
            raise standing(
                e,
                f"{issuer.name} is cut off in the files of {folder.layout.broker}: a broker that starts with them"
                " refuses all its certificates. The running one may still let them in.",
            ) from e
        return renewed


def new_issuer(folder: FleetFolder, organisation: str) -> tuple[str, ...]:
    """A new issuer below the newest root, in place of one that was cut off, and new certificates for its organisation.

    Returns who has new files, as :func:`cut_off`.

    Raises:
        FleetInputError: there is one, or no root yet; nothing was changed.
        FleetDamagedError: the root's key is not in the authority folder.
    """
    with folder.changing():
        if not has_issuers(folder.record):
            raise FleetInputError("This fleet has no root with issuers yet: 'watchlink fleet new-root'.")
        is_new = _replace(folder, organisation)
        renewed = _renew_cut_off(folder, is_office_due=False, are_claimed_due=is_new and organisation == NODES)
        if not is_new and not renewed:
            name = current_issuer(folder.record, organisation).name
            raise FleetInputError(
                f"{name} signs {organisation} certificates. If it was stolen: 'watchlink fleet cut-off {name}'."
            )
        _publish(folder)
        return renewed


def find_issuer(folder: FleetFolder, name: str) -> IssuerRecord:
    """The issuer of that name.

    Raises:
        FleetInputError: there is none.
    """
    known = {one.name: one for one in folder.record.issuers}
    if name not in known:
        raise FleetInputError(f"No issuer {name!r} in this fleet; it has: {', '.join(known)}.")
    return known[name]


def _replace(folder: FleetFolder, organisation: str) -> bool:
    """Make a new issuer for the organisation, if none is left; returns whether."""
    record = folder.record
    if not organisation or has_issuer(record, organisation):
        return False
    root = record.issuers[-1].root
    name = next_name(organisation, record.issuers)
    made = IssuerRecord(name=name, organisation="node" if organisation == NODES else "services", root=root)
    make_issuer(folder.layout, folder.authority(root), made, folder.now())
    folder.commit(msgspec.structs.replace(record, issuers=(*record.issuers, made)))
    return True


def _renew_cut_off(folder: FleetFolder, *, is_office_due: bool, are_claimed_due: bool) -> tuple[str, ...]:
    """New certificates for whoever has the last one of an issuer that was cut off, where there is another to sign.

    Who signed last for a node that claimed its premises is not known here: those are ``are_claimed_due`` or not.
    """
    record = folder.record
    refused = {one.name for one in record.issuers if one.cut_off_at is not None}
    renewed: list[str] = []
    nodes = [
        one
        for one in record.nodes
        if one.revoked_at is None and (one.certificates[-1].issuer in refused if one.certificates else are_claimed_due)
    ]
    if nodes and has_issuer(record, NODES):
        renewed += [path.name for path in renew_nodes(folder, nodes)]
    if not has_issuer(record, SERVICES):
        return tuple(renewed)
    if _renew_central(folder):
        renewed.append("central")
    if record.broker_certificates[-1].issuer in refused:
        renew_broker(folder)
        renewed.append("broker")
    if any(is_office_due or one.issuer in refused for one in record.office.certificates[-1:]):
        renew_office(folder)
        renewed.append("office")
    return tuple(renewed)


def _renew_central(folder: FleetFolder) -> bool:
    """New certificates for central's connections where the last is another issuer's; returns whether there are any."""
    newest = folder.issuer(SERVICES).name
    central = folder.record.central
    due = [
        is_alerts
        for is_alerts, known in ((False, central.certificates), (True, central.alerts_certificates))
        if not known or known[-1].issuer != newest
    ]
    for is_alerts in due:
        renew_central(folder, is_alerts=is_alerts)
    return bool(due)


def _end_sessions(folder: FleetFolder, old: IssuerRecord) -> None:
    in_force = {one.organisation for one in issuers_in_force(folder.record, folder.now())}
    if old.organisation not in in_force or not old.organisation:
        return  # The ACL names nobody of it any more.
    nodes = [node.node for node in folder.record.nodes if node.revoked_at is None]
    # The broker knows the numbers that wait, too.
    nodes += [claim.node for claim in folder.record.claims]
    names = nodes if old.organisation == NODES else [CENTRAL_TEXT, CENTRAL_ALERTS_CLIENT]
    end_sessions(folder, old.organisation, names)


def _publish(folder: FleetFolder) -> None:
    record = folder.record
    folder.commit(msgspec.structs.replace(record, crl_number=record.crl_number + 1))
    folder.publish()
    folder.publish_crl()


def _refuse_last(folder: FleetFolder, cut: IssuerRecord) -> None:
    """Without any issuer the broker's list would be empty, and a broker that reloads that lets everybody in."""
    name, authority = folder.record.issuers[-1].root, folder.layout.authority
    if issuers_in_force(_with_issuer(folder, cut), folder.now()) or (authority / f"{name}.key").exists():
        return
    raise FleetInputError(
        f"{cut.name} is the last issuer whose certificates the broker lets in, and without the root's key there can be"
        " no other. Nothing was changed. Stop the broker now ('systemctl stop mosquitto'): that shuts the thief out as"
        f" well, and alerts go by radio. Then put {name}.key into {authority}, run this again, and start the broker."
    )


def _commit_issuer(folder: FleetFolder, changed: IssuerRecord) -> None:
    folder.commit(_with_issuer(folder, changed))


def _with_issuer(folder: FleetFolder, changed: IssuerRecord) -> FleetRecord:
    issuers = tuple(changed if one.name == changed.name else one for one in folder.record.issuers)
    return msgspec.structs.replace(folder.record, issuers=issuers)
