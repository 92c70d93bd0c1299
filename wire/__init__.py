"""The contract that node and central share: ids, frames, messages, topics, the directory.

Pure: no I/O, no clock, no randomness; imports nothing else of Watchlink. It defines what travels, byte for
byte; ``docs/wire.md``, the AsyncAPI document and ``vectors/`` are generated from it and tested.
"""
