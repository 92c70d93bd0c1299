"""Benchmarks, most beside a reference in the same run."""
