"""The board: buttons, panel, LED and sounder behind one face, real or fake.

Owns pins, buses, fonts and pixels. Knows no rules: it reports raw edges and carries out what it is told.
Entry points: :func:`node.hw.board.open_board` and :func:`node.hw.profiles.profile_named`.
"""
