"""Exchanges as the engine sees them: one gateway a module."""
