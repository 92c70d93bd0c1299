"""The simulated air: a process that carries a fake radio's signal to those that can hear it, in real time.

It treats a signal as FM does: noise by carrier-to-noise ratio, capture of the weaker by the stronger, a heterodyne
between equals. It knows nothing of frames, alerts or nodes. ``python -m demo.air --help``.
"""
