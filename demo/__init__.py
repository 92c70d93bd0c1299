"""A whole town on one machine: broker, central and four premises, with front panels and scripts.

Everything is real but the pins, the panel and the distances: Mosquitto with mutual TLS, central, and one process
for each node. The demo only starts them, pulls their cables, kills them, and watches.
"""
