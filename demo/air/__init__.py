"""The simulated air: a process that carries what one fake radio sends to those that can hear it, in real time.

What it does to a signal is what FM does: noise by carrier-to-noise ratio, capture of the weaker by the stronger,
a heterodyne between equals. It knows nothing of frames, alerts or nodes. ``python -m demo.air --help``.
"""
