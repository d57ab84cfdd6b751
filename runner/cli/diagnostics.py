"""Faults of plans as a person reads them on a terminal, and as JSON."""
