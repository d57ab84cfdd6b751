"""The gate: the plan's limits in front of every order that may open, and of no other."""

from decimal import Decimal

import pytest

from runner.domain.commands import OrderDenied
from runner.domain.reports import TradeReport
from runner.domain.times import DAY_MS
from runner.domain.values import ZERO, Side
from tests.engine.paper import START_MS, Paper

LIMITED = "entry: {side: BUY, quantity: 0.010, type: LIMIT, price: 60000}"


def denials(paper: Paper) -> list[tuple[str, str, str]]:
    return [(one.node_id, one.code, one.detail) for one in paper.commands if isinstance(one, OrderDenied)]


@pytest.mark.parametrize(("limit", "denied"), [("600", False), ("599.99", True)])
def test_max_order_notional_denies_what_is_above_it_and_not_what_is_at_it(limit: str, denied: bool) -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.010, "
        "type: MARKET}\n", f"limits: {{max_order_notional: {limit}}}",
    )
    assert denials(paper) == ([("a.entry", "MAX_ORDER_NOTIONAL", "limit=599.99 would_be=600")] if denied else [])
    assert bool(paper.said()) is not denied
    assert paper.ends() == ({"a": "failed denied"} if denied else {})


def test_a_denied_order_is_never_shrunk_to_fit() -> None:
    paper = Paper("  - id: a\n    entry: {side: BUY, quantity: 0.020, "
                  "type: MARKET}\n", "limits: {max_order_notional: 1199}")
    assert paper.said() == []


@pytest.mark.parametrize(("limit", "denied"), [("1796", False), ("1795.9", True)])
def test_max_position_notional_counts_the_position_and_all_working_openers_at_their_worst_price(
    limit: str, denied: bool,
) -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.010, type: LIMIT, price: 60000}\n"
        "  - id: b\n    entry: {side: BUY, quantity: 0.010, type: STOP, stop_price: 60500, limit_price: 61000}\n"
        "  - id: c\n    when: {delay: 1s}\n    entry: {side: BUY, quantity: 0.010, type: MARKET}\n",
        f"limits: {{max_position_notional: {limit}}}",
    )
    paper.accept("a.entry#0", "b.entry#0")
    paper.fill("a.entry#0", "0.004")
    paper.price = Decimal(59_000)
    paper.said()
    paper.fire("when:c.start")
    # held 0.004 × 59,000 + rest of a 0.006 × 60,000 + b 0.010 × 61,000 + c 0.010 × 59,000
    assert denials(paper) == ([("c.entry", "MAX_POSITION_NOTIONAL", "limit=1795.9 would_be=1796")] if denied else [])
    assert ("place c.entry#0 MARKET BUY 0.01" in paper.said()) is not denied


def test_max_position_notional_denies_with_its_figures() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.010, type: LIMIT, price: 60000}\n"
        "  - id: b\n    when: {delay: 1s}\n    on_failure: continue\n"
        "    entry: {side: BUY, quantity: 0.010, type: MARKET}\n",
        "limits: {max_position_notional: 1250}",
    )
    paper.accept("a.entry#0")
    paper.price = Decimal(65_010)
    paper.fire("when:b.start")
    # 0.010 × 60,000 working + 0.010 × 65,010
    assert denials(paper) == [("b.entry", "MAX_POSITION_NOTIONAL", "limit=1250 would_be=1250.1")]


def test_an_order_without_an_answer_counts_as_working() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.010, type: MARKET}\n"
        "  - id: b\n    entry: {side: BUY, quantity: 0.010, type: MARKET}\n    on_failure: continue\n",
        "limits: {max_position_notional: 1199}",
    )
    assert denials(paper) == [("b.entry", "MAX_POSITION_NOTIONAL", "limit=1199 would_be=1200")]


def test_openers_that_have_ended_and_orders_that_close_count_no_more() -> None:
    paper = Paper(
        "  - id: a\n    on_failure: continue\n    entry: {side: BUY, quantity: 0.010, type: LIMIT, price: 60000}\n"
        "  - id: x\n    exit: {side: SELL, quantity: 0.010, type: LIMIT, price: 61000}\n"
        "  - id: b\n    after: {a: failed}\n    entry: {side: BUY, quantity: 0.010, type: MARKET}\n",
        "limits: {max_position_notional: 1200}", positions={"BTCUSDT": "0.010"},
    )
    paper.reject("a.entry#0", -2019)
    assert "place b.entry#0 MARKET BUY 0.01" in paper.said()


def test_a_position_of_the_other_side_is_set_off() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.030, type: MARKET}\n",
        "limits: {max_position_notional: 1200}", positions={"BTCUSDT": "-0.010"},
    )
    assert paper.said() == ["place a.entry#0 MARKET BUY 0.03"]


@pytest.mark.parametrize(("order", "counted"), [
    ("side: BUY, quantity: 0.010, type: LIMIT, price: 61000", "610"),  # its limit
    ("side: SELL, quantity: 0.010, type: LIMIT, price: 59000", "600"),  # a sale fills at its limit or better: the mark
    ("side: SELL, quantity: 0.010, type: LIMIT, price: 61000", "610"),
    ("side: BUY, quantity: 0.010, type: STOP_MARKET, stop_price: 62000", "620"),  # its trigger
    ("side: BUY, quantity: 0.010, type: MARKET", "600"),
    ("side: SELL, quantity: 0.010, type: MARKET", "600"),
])
def test_an_order_is_counted_at_its_worst_price(order: str, counted: str) -> None:
    # a plan that by itself crosses its limits is invalid, so the limit is crossed by what is held already
    side = "" if "BUY" in order else "-"
    paper = Paper(
        f"  - id: a\n    entry: {{{order}}}\n", "limits: {max_position_notional: 650}",
        positions={"BTCUSDT": f"{side}0.010"},
    )
    assert denials(paper) == [("a.entry", "MAX_POSITION_NOTIONAL", f"limit=650 would_be={600 + int(counted)}")]


def test_exits_always_pass() -> None:
    paper = Paper(
        "  - id: long\n    bracket: {side: BUY, quantity: 0.010, entry: {type: MARKET}, take_profit: {price: 90000}, "
        "stop_loss: {stop_price: 59000}}\n",
        "limits: {max_order_notional: 601, max_position_notional: 601, max_daily_loss: 1}",
    )
    paper.fill("long.entry#0", "0.010")
    assert paper.said()[1:] == [
        "place long.stop_loss#0 STOP_MARKET SELL 0.01 @59000 reduce-only",
        "place long.take_profit#0 TAKE_PROFIT SELL 0.01 @90000 @90000 reduce-only",
    ]
    assert denials(paper) == []


def test_each_slice_of_a_twap_is_judged_when_it_is_sent() -> None:
    paper = Paper(
        "  - id: t\n    twap: {side: BUY, quantity: 0.020, slices: 2, every: 2s}\n",
        "limits: {max_position_notional: 1210}",
    )
    paper.fill("t.slice.1#0", "0.010")
    paper.price = Decimal(61_000)
    paper.fire(next(one for one in paper.timers if one.startswith("edge:")))
    assert denials(paper) == [("t.slice.2", "MAX_POSITION_NOTIONAL", "limit=1210 would_be=1220")]
    assert paper.ends() == {"t": "failed incomplete"}


def test_a_limit_order_that_goes_to_market_after_all_is_judged_again() -> None:
    paper = Paper(
        "  - id: a\n    on_immediate_trigger: MARKET\n    entry: {side: BUY, quantity: 0.010, type: STOP_MARKET, "
        "stop_price: 60500}\n"
        "  - id: b\n    when: {delay: 1s}\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n",
        "limits: {max_order_notional: 606}",
    )
    paper.price = Decimal(61_000)
    paper.fire("when:b.start")
    paper.reject("a.entry#0", -2021)
    assert denials(paper) == [("a.entry", "MAX_ORDER_NOTIONAL", "limit=606 would_be=610")]
    assert paper.ends()["a"] == "failed denied"


# ---- the daily loss -----------------------------------------------------------------------------------------------

LOSER = (
    "  - id: a\n    entry: {side: BUY, quantity: 0.010, type: MARKET}\n"
    "  - id: x\n    after: a\n    exit: {side: SELL, quantity: {filled: a}, type: MARKET}\n"
    "  - id: b\n    after: {x: succeeded}\n    when: {delay: DELAY}\n    on_failure: continue\n"
    "    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
)


def lose_money(delay: str, px: str, limit: str) -> Paper:
    paper = Paper(LOSER.replace("DELAY", delay), f"limits: {{max_daily_loss: {limit}}}")
    paper.fill("a.entry#0", "0.010")
    paper.fill("x.exit#0", "0.010", px)
    return paper


def test_max_daily_loss_denies_openers_once_realised_losses_and_fees_reach_it() -> None:
    # bought and sold 0.010 at 60,000 and 59,000: 10 lost; fees of 0.05 %: 0.3 and 0.295
    paper = lose_money("1s", "59000", "10.595")
    paper.fire("when:b.start")
    assert denials(paper) == [("b.entry", "MAX_DAILY_LOSS", "limit=10.595 loss=10.595")]
    paper = lose_money("1s", "59000", "10.596")
    paper.fire("when:b.start")
    assert denials(paper) == []


def test_max_daily_loss_counts_what_is_not_realised_yet() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.010, type: MARKET}\n"
        "  - id: b\n    after: a\n    when: {delay: 1s}\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n",
        "limits: {max_daily_loss: 10}",
    )
    paper.fill("a.entry#0", "0.010")
    paper.price = Decimal(59_000)
    paper.fire("when:b.start")
    assert denials(paper) == [("b.entry", "MAX_DAILY_LOSS", "limit=10 loss=10.3")]


def test_a_loss_of_the_day_before_is_forgotten_at_midnight_of_the_virtual_clock() -> None:
    paper = lose_money("1d", "59000", "10")
    midnight_ms = (START_MS // DAY_MS + 1) * DAY_MS
    assert paper.timers["day:"] == midnight_ms
    paper.fire("day:")
    assert paper.timers["day:"] == midnight_ms + DAY_MS
    paper.fire("when:b.start")
    assert denials(paper) == []
    assert "place b.entry#0 MARKET BUY 0.001" in paper.said()


def test_what_was_unrealised_at_midnight_is_the_new_days_zero() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.010, type: MARKET}\n"
        "  - id: b\n    after: a\n    when: {delay: 1d}\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n",
        "limits: {max_daily_loss: 5}",
    )
    paper.fill("a.entry#0", "0.010")
    paper.price = Decimal(59_000)
    paper.fire("day:")
    paper.price = Decimal(58_600)  # 4 more are lost since midnight
    paper.fire("when:b.start")
    assert denials(paper) == []


def test_an_old_loss_of_a_position_that_the_run_begins_with_is_not_todays() -> None:
    paper = PriceFell(
        "  - id: b\n    when: {delay: 1s}\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n",
        "limits: {max_daily_loss: 5}", price="60000", positions={"BTCUSDT": "0.010"},
    )
    paper.fire("when:b.start")
    assert denials(paper) == []


class PriceFell(Paper):
    """The position was entered at 60,000, and the market stands at 50,000 since."""

    def observe(self, symbol: str = "BTCUSDT") -> None:
        self.price = Decimal(50_000)
        super().observe(symbol)


def test_a_trade_that_is_told_twice_counts_once() -> None:
    paper = lose_money("1s", "59000", "10.596")
    name = paper.names["x.exit#0"]
    paper.give(TradeReport(
        paper.now_ms, "BTCUSDT", name, "X-x.exit#0", "2", Side.SELL, Decimal("0.010"), Decimal(59_000), Decimal(5),
        "USDT", ZERO, False,
    ))
    paper.fire("when:b.start")
    assert denials(paper) == []
