"""Which issuers count at a moment, and which names of a sender: computed from the fleet's record. Pure.

A fleet's first CA (:data:`~provisioning.records.FIRST_CA`) signs for everybody, and is its own root. Below a later root
there are an issuer for nodes and one for services. After a change both generations count, until no sender in use has an
unexpired certificate of the older one; nobody gets a new certificate of it meanwhile, so that is 90 days at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from provisioning.broker import PROOF_USER
from provisioning.errors import FleetInputError
from provisioning.records import CertificateRecord, FleetRecord, IssuerRecord, NodeRecord
from wire.subjects import NODES, SERVICES, subject_text


def has_issuers(record: FleetRecord) -> bool:
    """Whether the fleet has a root with issuers below it, and not its first CA alone."""
    return any(one.organisation for one in record.issuers)


def has_issuer(record: FleetRecord, organisation: str) -> bool:
    """Whether somebody signs for the organisation."""
    kind = organisation if has_issuers(record) else ""
    return any(one.organisation == kind and one.cut_off_at is None for one in record.issuers)


def current_issuer(record: FleetRecord, organisation: str) -> IssuerRecord:
    """The issuer that signs for the organisation from now on.

    Raises:
        FleetInputError: the last one was cut off, and there is no new one yet.
    """
    of_it = [one for one in record.issuers if one.organisation == (organisation if has_issuers(record) else "")]
    kept = [one for one in of_it if one.cut_off_at is None]
    if not kept:
        raise FleetInputError(
            f"No issuer is left for {organisation} certificates: put the root's key back into the authority folder and"
            f" run 'watchlink fleet new-issuer {organisation}'."
        )
    return kept[-1]


def issuers_in_force(record: FleetRecord, now: datetime) -> tuple[IssuerRecord, ...]:
    """The issuers whose certificates the broker lets in, oldest first: the current ones, and older ones in use.

    Of a node that claimed its premises it is not known here which of the nodes' issuers signed for it last; nor of a
    number that waits, whether its node has claimed it already.
    """
    nodes = [one for node in record.nodes if node.revoked_at is None for one in node.certificates]
    senders = [*record.central.certificates, *record.central.alerts_certificates, *nodes]
    used = {one.issuer for one in senders if one.expires_at > now}
    kept = [one for one in record.issuers if one.cut_off_at is None]
    if record.claims or any(node.revoked_at is None and not node.certificates for node in record.nodes):
        used |= {one.name for one in kept if one.organisation == NODES}
    newest = {one.organisation: one.name for one in kept}
    if has_issuers(record):
        newest.pop("", None)
    return tuple(one for one in kept if one.name in used or one.name in newest.values())


def roots_for_broker(record: FleetRecord, now: datetime) -> tuple[str, ...]:
    """The roots of the certificates that it lets in, newest first."""
    return _roots(issuers_in_force(record, now))


def roots_for_senders(record: FleetRecord, now: datetime) -> tuple[str, ...]:
    """The roots that a node or central has to trust, newest first: also those of any server that it may meet."""
    servers = (*record.broker_certificates[-1:], *record.office.certificates)
    wanted = {one.issuer for one in servers if one.expires_at > now}
    wanted |= {one.name for one in issuers_in_force(record, now)}
    return _roots(one for one in record.issuers if one.name in wanted)


def server_issuer(record: FleetRecord, now: datetime) -> IssuerRecord:
    """The issuer for a server's certificate that every sender in use can verify.

    A sender with an old certificate may know the old root alone; one with a new certificate knows both.

    Raises:
        FleetInputError: as :func:`current_issuer`.
    """
    for root in reversed(roots_for_broker(record, now)):
        for issuer in reversed(record.issuers):
            if issuer.root == root and issuer.organisation in {SERVICES, ""} and issuer.cut_off_at is None:
                return issuer
    return current_issuer(record, SERVICES)


def users(
    record: FleetRecord,
    in_force: Sequence[IssuerRecord],
    certificates: Iterable[CertificateRecord],
    name: tuple[str, str],
    now: datetime,
) -> tuple[str, ...]:
    """The names that the broker may know a sender by.

    Args:
        record: the fleet's.
        in_force: as :func:`issuers_in_force` gives them at ``now``.
        certificates: all of the sender. With an unexpired one of the first CA it has the name without organisation.
        name: its common name and organisation.
        now: aware.
    """
    first = {one.name for one in in_force if not one.organisation}
    is_of_first = any(one.issuer in first and one.expires_at > now for one in certificates)
    is_new = any(one.organisation == name[1] for one in in_force)
    return _spelled(record, name, is_of_first=is_of_first, is_new=is_new)


def node_users(
    record: FleetRecord, in_force: Sequence[IssuerRecord], node: NodeRecord, now: datetime
) -> tuple[str, ...]:
    """:func:`users` of a node; of a revoked one all that it can ever have had."""
    if node.revoked_at is None:
        return users(record, in_force, node.certificates, (node.node, NODES), now)
    is_of_first = any(not one.organisation for one in record.issuers)
    return _spelled(record, (node.node, NODES), is_of_first=is_of_first, is_new=has_issuers(record))


def proof_users(record: FleetRecord, in_force: Sequence[IssuerRecord]) -> tuple[str, ...]:
    """The names of certificates that prove something, one for each issuer in force."""
    found: list[str] = []
    for organisation in dict.fromkeys(one.organisation for one in in_force):
        is_first = not organisation
        found += _spelled(record, (PROOF_USER, organisation), is_of_first=is_first, is_new=not is_first)
    return tuple(dict.fromkeys(found))


def _spelled(record: FleetRecord, name: tuple[str, str], *, is_of_first: bool, is_new: bool) -> tuple[str, ...]:
    common_name, organisation = name
    if record.broker.reads == "common name":
        return (common_name,)
    # Until it was seen that the broker reads the subject, it may be one that was not restarted yet.
    bare = (common_name,) if record.broker.reads == "unknown" else ()
    old = (subject_text(common_name),) if is_of_first else ()
    new = (subject_text(common_name, organisation),) if is_new else ()
    return (*bare, *old, *new)


def _roots(issuers: Iterable[IssuerRecord]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.root for one in reversed(tuple(issuers))))
