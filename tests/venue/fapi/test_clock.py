"""The exchange's clock: at a speed, held back, set, standing."""

from runner.venue.fapi.clock import FrontClock, VenueClock


class Hand:
    def __init__(self) -> None:
        self.now_ms = 5_000


def test_the_exchange_s_time_runs_at_its_speed() -> None:
    hand = Hand()
    clock = VenueClock(FrontClock(lambda: hand.now_ms), 1_000_000, 100)
    hand.now_ms += 30
    assert clock.now_ms() == 1_003_000
    assert clock.front_ms(1_003_000) == 5_030
    hand.now_ms -= 20
    assert clock.now_ms() == 1_003_000


def test_it_does_not_pass_the_next_datum() -> None:
    hand = Hand()
    clock = VenueClock(FrontClock(lambda: hand.now_ms), 0)
    clock.limit_ms = 40
    hand.now_ms += 100
    assert clock.now_ms() == 40
    clock.limit_ms = None
    assert clock.now_ms() == 100


def test_a_standing_clock_moves_by_hand_and_forward() -> None:
    hand = Hand()
    clock = VenueClock(FrontClock(lambda: hand.now_ms), 10, 0)
    hand.now_ms += 10_000
    assert clock.now_ms() == 10
    clock.set(60)
    clock.set(50)
    assert clock.now_ms() == 60
