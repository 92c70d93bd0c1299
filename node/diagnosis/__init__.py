"""``watchlink node diagnose``: one file for the engineer, made offline, that names nobody.

What goes in is listed, not what stays out: figures, words that stand in this program's own source, and a few values
whose whole range is known. Everything else becomes ``…``: :mod:`node.diagnosis.words`.
"""
