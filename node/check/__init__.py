"""``watchlink node check``: a fitted unit, part by part, in words for who stands in front of it.

It disturbs no running node. While one runs, pins, panel and radio are the node's own: the check takes its word, which
is systemd's status line, and looks only at what can be read. It copies the database, and the broker hears no more of it
than that somebody with this certificate is there (:mod:`node.check.network`).
"""
