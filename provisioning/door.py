"""The door before the broker: nftables rules, as text, that limit bytes and new connections per address.

Mosquitto cannot limit a rate, so the kernel does: bytes per connection, bytes and new connections per address. Both,
because shops may share an address (one router, one provider). Packets over the budget are dropped and resent later by
TCP: an honest node never comes close, and a flood slows down.
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
TABLE: Final = "watchlink_door"


def render_door(port: int) -> str:
    """Rules for ``nft -f``; reloading replaces them and resets every budget."""
    families = "".join(
        f"""
    set heavy{version} {{ type {kind} . inet_service; flags dynamic; timeout 1m; size 65536; }}
    set sender{version} {{ type {kind}; flags dynamic; timeout 1m; size 65536; }}
    set fresh{version} {{ type {kind}; flags dynamic; timeout 2m; size 65536; }}
    set central{version} {{ type {kind}; }}"""
        for version, kind in (("4", "ipv4_addr"), ("6", "ipv6_addr"))
    )
    rules = "".join(_rules(version, source) for version, source in (("4", "ip saddr"), ("6", "ip6 saddr")))
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
}}
"""


def _rules(version: str, source: str) -> str:
    return f"""
        {source} @central{version} accept
        tcp flags & (syn | ack) == syn \\
            update @fresh{version} {{ {source} \\
            limit rate over {CONNECTIONS_PER_S}/second burst {CONNECTIONS_BURST} packets }} drop
        update @sender{version} {{ {source} \\
            limit rate over {ADDRESS_KBYTES_PER_S} kbytes/second burst {ADDRESS_BURST_KBYTES} kbytes }} drop
        update @heavy{version} {{ {source} . tcp sport \\
            limit rate over {CONNECTION_KBYTES_PER_S} kbytes/second burst {CONNECTION_BURST_KBYTES} kbytes }} drop"""
