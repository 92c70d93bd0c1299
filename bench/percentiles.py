"""How measured times are told."""

from __future__ import annotations

import statistics


def percentile(values: list[float], percent: int) -> float:
    """Of a list of two or more."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def told(values_ms: list[float]) -> str:
    """Median and 99th percentile."""
    return f"p50 {percentile(values_ms, 50):.1f} ms, p99 {percentile(values_ms, 99):.1f} ms"
