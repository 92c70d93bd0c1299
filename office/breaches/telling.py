"""What each unit is told of its reports: the publisher's file for the machine port. It names nobody."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db.models import Count, Max
from django.utils import timezone

from office.breaches.copies import readable
from office.breaches.models import Breach, BreachAction
from office.breaches.rules import OPEN_TOLD_FOR, is_told, told
from office.gallery.outcomes_file import OutcomesFile
from wire.gallery_reports import OUTCOMES_MAX, ReportOutcome
from wire.ids import NodeId, node_text


def signature() -> tuple[object, ...]:
    """Differs whenever what units are told may differ, but for what ends by itself. Cheap, copies of a month aside."""
    reports = Breach.objects.aggregate(count=Count("pk"), newest=Max("pk"), changed=Max("state_at"))
    newest = BreachAction.objects.aggregate(newest=Max("pk"))["newest"]
    return *reports.values(), newest, *((one.pk, one.made_at) for one in readable(timezone.now()))


def outcomes_now(taken: int, now: datetime) -> OutcomesFile:
    """Of all units, the newest of each.

    Args:
        taken: number of the newest of the port's reports that was taken in.
        now: moment.
    """
    # No unit has reported an incident, so none is told.
    found = Breach.objects.filter(received_at__gt=now - 2 * OPEN_TOLD_FOR).exclude(kind="incident")
    found = found.order_by("-received_at", "-pk")
    copied = {one.breach_id for one in readable(now)}
    actions: defaultdict[int, list[str]] = defaultdict(list)
    for breach, kind in BreachAction.objects.filter(breach__in=found).order_by("pk").values_list("breach", "kind"):
        actions[breach].append(kind)
    nodes: defaultdict[str, list[ReportOutcome]] = defaultdict(list)
    for one in found:
        mine = nodes[node_text(NodeId(one.node))]
        if len(mine) == OUTCOMES_MAX or not is_told(one.received_at, one.closed_at, now):
            continue
        what = told(one.state, actions[one.pk], one.state_at, has_copy=one.pk in copied)  # type: ignore[arg-type]  # the field's choices
        mine.append(ReportOutcome(report=one.report, state=what.state, words=what.words, at_s=int(what.at.timestamp())))
    return OutcomesFile(taken=taken, nodes={node: tuple(rows) for node, rows in sorted(nodes.items()) if rows})
