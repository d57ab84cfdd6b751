"""Our own pseudo-random numbers."""

from runner.domain.seeded import noise, seed_of, symmetric


def test_the_numbers_are_those_of_splitmix64() -> None:
    """The first outputs for seed 0 as the generator's authors publish them."""
    assert [noise(0, counter) for counter in range(3)] == [
        0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F,
    ]


def test_the_seed_of_parts_tells_their_borders() -> None:
    assert seed_of("ab", "c") != seed_of("a", "bc")
    assert seed_of(1, "x") == seed_of(1, "x")


def test_symmetric_numbers_are_spread_around_zero() -> None:
    found = [symmetric(7, counter) for counter in range(2_000)]
    assert all(-1 <= number < 1 for number in found)
    assert abs(sum(found) / len(found)) < 0.06
