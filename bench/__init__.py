"""Benchmarks, each beside its reference loop."""
