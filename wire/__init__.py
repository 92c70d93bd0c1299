"""The contract that node and central share: ids, frames, messages, topics, the directory.

Pure: no I/O, no clock, no randomness; imports nothing else of Watchlink. What is written here is what
travels, byte for byte; ``docs/wire.md``, the AsyncAPI document and ``vectors/`` are made from it and tested.
"""
