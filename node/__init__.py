"""The node: the Raspberry Pi beside a member's radio."""
