"""Deterministic orchestration."""
