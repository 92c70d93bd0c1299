"""The door before the broker: nftables rules, as text, that limit bytes and new connections per address.

Mosquitto cannot limit a rate, so the kernel does: bytes per connection, bytes and new connections per address. Both,
because shops may share an address (one router, one provider). Packets over the budget are dropped and resent later by
TCP: an honest node never comes close, and a flood slows down.

An IPv6 address stands for its /64, of which one member has every address. When so many addresses send that a set is
full, all that are not in it share the budgets of one, and those that are in it keep their own.
"""

from __future__ import annotations

from typing import Final

CONNECTION_KBYTES_PER_S: Final = 8
CONNECTION_BURST_KBYTES: Final = 32
"""A node sends about a kilobyte a minute, and some ten after a night without network."""
ADDRESS_KBYTES_PER_S: Final = 64
ADDRESS_BURST_KBYTES: Final = 512
CONNECTIONS_PER_S: Final = 2
CONNECTIONS_BURST: Final = 60
"""Per address: sixty shops behind one router may reconnect at once."""
ADDRESSES_MAX: Final = 65_536
"""In each set. Central and nodes send something every quarter of a minute, and so keep their places in ``sender``, by
which they may connect anew while ``fresh`` is full of others."""
TABLE: Final = "watchlink_door"
_IS_NEW: Final = "tcp flags & (syn | ack) == syn"
_NEW: Final = f"{CONNECTIONS_PER_S}/second burst {CONNECTIONS_BURST} packets"
_BYTES: Final = f"{ADDRESS_KBYTES_PER_S} kbytes/second burst {ADDRESS_BURST_KBYTES} kbytes"


def render_door(port: int) -> str:
    """Rules for ``nft -f``; reloading replaces them and resets every budget."""
    families = "".join(
        f"""
    set heavy{version} {{ type {kind} . inet_service; flags dynamic; timeout 1m; size {ADDRESSES_MAX}; }}
    set sender{version} {{ type {kind}; flags dynamic; timeout 1m; size {ADDRESSES_MAX}; }}
    set fresh{version} {{ type {kind}; flags dynamic; timeout 2m; size {ADDRESSES_MAX}; }}
    set central{version} {{ type {kind}; }}"""
        for version, kind in (("4", "ipv4_addr"), ("6", "ipv6_addr"))
    )
    rules = "".join(
        _rules(version, address, budgeted)
        for version, address, budgeted in (
            ("4", "ip saddr", "ip saddr"),
            ("6", "ip6 saddr", "ip6 saddr & ffff:ffff:ffff:ffff::"),
        )
    )
    return f"""\
# Made by 'watchlink fleet'; changes here are lost. docs/runbook.md says how it is loaded.
# Central on another machine needs room for a whole town: nft add element inet {TABLE} central4 {{ ADDRESS }}
table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{{families}

    chain door {{
        type filter hook input priority filter; policy accept;
        iif lo accept
        tcp dport {port} jump budget
    }}

    chain budget {{{rules}
    }}

    # All that found no room in a full set. What they send is counted.
    chain crowd {{
        counter
        {_IS_NEW} limit rate over {_NEW} drop
        limit rate over {_BYTES} drop
    }}
}}
"""


# An update that finds no room ends its rule as one within budget does: the rule after it tells them apart. There is
# none after heavy, for those have a budget by then, that of their address.
def _rules(version: str, address: str, budgeted: str) -> str:
    return f"""
        {address} @central{version} accept
        {_IS_NEW} \\
            update @fresh{version} {{ {budgeted} limit rate over {_NEW} }} drop
        {_IS_NEW} {budgeted} != @fresh{version} {budgeted} != @sender{version} goto crowd
        update @sender{version} {{ {budgeted} limit rate over {_BYTES} }} drop
        {budgeted} != @sender{version} goto crowd
        update @heavy{version} {{ {budgeted} . tcp sport \\
            limit rate over {CONNECTION_KBYTES_PER_S} kbytes/second burst {CONNECTION_BURST_KBYTES} kbytes }} drop"""
