"""The radio's hardware for :mod:`node.net.radio`: sound, transmit key and sentences, and their fakes."""
