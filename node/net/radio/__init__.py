"""The radio path: bytes to bursts and back, keyed and unkeyed in time. :mod:`node.core.radio` decides; this does."""
