"""Central, as reached by the network: its messages, our questions, and whether it is there."""
