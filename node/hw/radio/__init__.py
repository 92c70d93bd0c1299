"""Sound, transmit key and sentences of the radio: what :mod:`node.net.radio` needs of the hardware, and its fakes."""
