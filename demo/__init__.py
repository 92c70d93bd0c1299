"""A whole town on one machine: broker, central and four premises, with front panels and scripts.

Everything but pins, panel and distances is real: Mosquitto with mutual TLS, central, and a process for each node. The
demo only starts them, unplugs their cables, kills them, and watches.
"""
