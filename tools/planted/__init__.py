"""``make planted``: the mistakes that would hurt somebody most, each planted on purpose, each caught by a named test.

``make mutation`` asks whether tests notice small slips anywhere. This asks the same of a few large ones, at the places
where somebody in a hurry would really make them: ``bugs.toml`` lists them for people to read.

``bugs`` reads the list; ``trial`` copies the tree, plants one and plays its tests.
"""
