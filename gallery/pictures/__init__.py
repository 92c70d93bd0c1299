"""Photographs made anew from their pixels, by a caged child, with each look burnt in."""
