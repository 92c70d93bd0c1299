"""The board: buttons, panel, LED and sounder behind one interface, real or fake.

Owns pins, buses, fonts and pixels. Knows no rules: it reports raw edges and does as it is told.
Entry points: :func:`node.hw.board.open_board` and :func:`node.hw.profiles.profile_named`.
"""
