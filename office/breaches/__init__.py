"""Breaches and sightings that shops report: who, where and when, what was done about it, and what the shop is told."""
