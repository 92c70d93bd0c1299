"""The command ``watchlink``: one door to node, central, fleet and demo."""

__version__ = "0.1.0"
