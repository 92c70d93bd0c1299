"""Errors of the fleet commands. Every message is a sentence for the engineer."""

from __future__ import annotations


class FleetError(Exception):
    """Base: the command failed, and nothing was changed unless the message says so."""


class FleetInputError(FleetError, ValueError):
    """The request is invalid: a bad name, an unknown scheme or node, a folder already in use."""


class FleetDamagedError(FleetError):
    """A file of the fleet folder is missing or damaged."""


class CrlError(FleetError):
    """A revocation list not fit for a broker: unreadable, incomplete, out of date, or not ours."""


class BrokerUnprovenError(FleetError):
    """The broker's files are in place, but the running broker was not seen to obey them."""
