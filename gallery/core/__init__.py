"""The gallery's rules, as one pure machine: what may be read now, by whom, and what must be destroyed.

No clock, thread, socket, file or random number: time arrives with each event, orders leave as effects, and the result
of an effect comes back as another event. It knows no picture, name or key: an entry is a case's number, its days and
the digests of its photographs, and a key is there or not.
"""
