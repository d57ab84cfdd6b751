"""Pseudo-random integers that are a pure function of a seed and a counter, the same on every platform.

Source: SplitMix64, G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from decimal import Decimal

from runner.domain.values import EXACT

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15


def noise(seed: int, counter: int) -> int:
    """A 64-bit integer, evenly spread, for this seed and counter."""
    z = (seed + (counter + 1) * _GAMMA) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def seed_of(*parts: int | str) -> int:
    """One seed from several parts: FNV-1a over their text, so that nearby names give unrelated streams."""
    value = 0xCBF29CE484222325
    for byte in "\x1f".join(map(str, parts)).encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return value


def symmetric(seed: int, counter: int) -> Decimal:
    """A Decimal in [-1, 1), evenly spread over a grid of 2^-31."""
    return EXACT.divide(Decimal((noise(seed, counter) >> 32) - (1 << 31)), Decimal(1 << 31))
