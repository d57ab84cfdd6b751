"""Runs on an exchange that goes by its own clock: demo and live."""
