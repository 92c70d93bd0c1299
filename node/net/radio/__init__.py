"""The radio path: bytes to bursts and back, keyed and unkeyed in time, as :mod:`node.core.radio` decides."""
