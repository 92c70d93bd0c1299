"""Files made from the contract: the golden vectors, ``docs/wire.md`` and the AsyncAPI document.

``python -m tools.publish`` writes them; ``python -m tools.publish --check`` lists those that differ. Everything here
but ``__main__`` is pure; the programs never import it.
"""
