"""What central says, as frames of the kind that each effect calls for."""

from __future__ import annotations

from central.core.effects import SendAcknowledgement, SendReceipt, SendReceiptsToAir, SendRefusal
from wire.frames import (
    Acknowledgement,
    AutomaticAcknowledgement,
    DigestReceipt,
    DigestReceiptBatch,
    DigestReceipted,
    PressAcknowledgement,
    Receipt,
    ReceiptBatch,
    Receipted,
    Refusal,
)
from wire.ids import CENTRAL


def receipt(order: SendReceipt, counter: int, at_s: int) -> Receipt | DigestReceipt:
    """Of one frame; with a digest if there is one."""
    if order.digest:
        return DigestReceipt(CENTRAL, counter, at_s, order.target, order.digest, late=order.is_late)
    return Receipt(CENTRAL, counter, at_s, order.target, late=order.is_late)


def refusal(order: SendRefusal, counter: int, at_s: int) -> Refusal:
    """Of one frame, with the reason."""
    return Refusal(CENTRAL, counter, at_s, order.target, order.reason, order.digest)


def receipts_on_air(
    order: SendReceiptsToAir, counter: int, at_s: int
) -> Receipt | ReceiptBatch | DigestReceipt | DigestReceiptBatch:
    """A single receipt for one target, a batch for more."""
    named = tuple(entry for entry in order.targets if isinstance(entry, DigestReceipted))
    older = tuple(entry for entry in order.targets if isinstance(entry, Receipted))
    if order.digest and len(named) == 1:
        return DigestReceipt(CENTRAL, counter, at_s, named[0].target, order.digest, late=named[0].late)
    if named:
        return DigestReceiptBatch(CENTRAL, counter, at_s, named)
    if len(older) == 1:
        return Receipt(CENTRAL, counter, at_s, older[0].target, late=older[0].late)
    return ReceiptBatch(CENTRAL, counter, at_s, older)


def acknowledgement(order: SendAcknowledgement, counter: int, at_s: int) -> Acknowledgement | AutomaticAcknowledgement:
    """A person's, with its press if there is one, or Watchlink's own without a role."""
    if order.role is None:
        return AutomaticAcknowledgement(CENTRAL, counter, at_s, order.target, order.state)
    said = (order.target, order.role, order.state, order.name)
    if order.press is None:
        return Acknowledgement(CENTRAL, counter, at_s, *said)
    return PressAcknowledgement(CENTRAL, counter, at_s, *said, order.press, order.urgency)
