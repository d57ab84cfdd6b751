"""What each exit should cover: shares of what was entered, and cuts from the last backwards."""

import pytest

from tests.engine.paper import Paper


def bracket(*portions: str) -> str:
    legs = ", ".join(f"{{price: {61000 + 100 * k}, portion: {one}}}" for k, one in enumerate(portions))
    return (
        "  - id: long\n    bracket: {side: BUY, quantity: 0.010, entry: {type: LIMIT, price: 60000}, "
        f"take_profit: [{legs}], stop_loss: {{stop_price: 59000}}}}\n"
    )


def targets(paper: Paper) -> list[str]:
    return [line.split()[4] for line in paper.said() if "take_profit" in line]


@pytest.mark.parametrize(("portions", "entered", "expected"), [
    (("50%", "50%"), "0.010", ["0.005", "0.005"]),
    (("50%", "50%"), "0.005", ["0.002", "0.003"]),  # floor, the rest to the last
    (("50%", "50%"), "0.001", ["0.001"]),  # a zero leg is not placed yet
    (("30%", "30%", "40%"), "0.010", ["0.003", "0.003", "0.004"]),
    (("30%", "30%", "40%"), "0.007", ["0.002", "0.002", "0.003"]),  # floors of 2.1 and 4.2, the rest
    (("33%", "33%", "34%"), "0.005", ["0.001", "0.002", "0.002"]),  # floors of 1.65 and 3.3
])
def test_a_take_profit_is_for_its_share_of_what_was_entered(
    portions: tuple[str, ...], entered: str, expected: list[str],
) -> None:
    paper = Paper(bracket(*portions))
    paper.fill("long.entry#0", entered)
    assert targets(paper) == expected


def test_what_a_leg_has_filled_itself_counts_against_its_own_share_only() -> None:
    paper = Paper(bracket("50%", "50%"))
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.002", "61000")
    paper.said()
    paper.fill("long.entry#0", "0.006")
    said = paper.said()
    # shares of 0.010 are 0.005 each: the first has 0.003 to go, the second 0.005
    assert "place long.take_profit.1#1 TAKE_PROFIT SELL 0.003 @61000 @61000 reduce-only" in said
    paper.cancelled("long.take_profit.2#0")
    assert "place long.take_profit.2#1 TAKE_PROFIT SELL 0.005 @61100 @61100 reduce-only" in paper.said()


def test_legs_that_together_exceed_what_is_open_are_cut_from_the_last_backwards() -> None:
    paper = Paper(
        bracket("50%", "50%")
        + "  - id: x\n    after: {long: filled}\n    exit: {side: SELL, quantity: {filled: long}, type: LIMIT, "
          "price: 60500}\n",
    )
    paper.fill("long.entry#0", "0.010")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0", "x.exit#0")
    paper.said()
    paper.fill("x.exit#0", "0.007", "60500")
    said = paper.said()
    assert "cancel long.take_profit.1#0" in said  # 0.005 of the 0.003 that are open
    assert "cancel long.take_profit.2#0" in said
    paper.cancelled("long.take_profit.1#0", "long.take_profit.2#0")
    assert [line for line in paper.said() if line.startswith("place")] == [
        "place long.take_profit.1#1 TAKE_PROFIT SELL 0.003 @61000 @61000 reduce-only",
    ]
