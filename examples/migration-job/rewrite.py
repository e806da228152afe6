"""Reads, rewrites, ends."""
