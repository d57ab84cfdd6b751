"""What users of other systems suffered from, each once, by what happened.  The threads are named by each test."""

from decimal import Decimal

from runner.domain.events import Action
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport
from tests.engine.paper import Paper

LONG = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
HALVES = LONG.replace(
    "take_profit: {price: 61000}", "take_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]",
)


def protected(steps: str = LONG, filled: str = "0.004") -> Paper:
    paper = Paper(steps)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", filled)
    paper.accept(*[name for name in paper.names if name.startswith("long.") and "entry" not in name])
    paper.said()
    return paper


def test_a_stop_that_filled_in_part_is_replaced_by_one_for_what_is_left() -> None:
    """freqtrade#8374: the new stop had the wrong amount."""
    paper = protected()
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.001", "59000")
    paper.said()
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED)
    paper.cancelled("long.take_profit#0")
    assert paper.said()[-1] == "place long.stop_loss#1 MARKET SELL 0.003 reduce-only"


def test_after_an_exit_filled_in_part_the_stop_is_for_what_is_left() -> None:
    """freqtrade#8526: the stop was placed for the amount before the fill."""
    paper = protected()
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.001", "61000")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.003 @59000 reduce-only"]


def test_exits_of_a_part_filled_parent_cover_that_part_and_no_more() -> None:
    """nautilus_trader#2623: children fired for the whole on a partial fill."""
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.001")
    assert [line.split()[4] for line in paper.said()[1:]] == ["0.001", "0.001"]


def test_a_stop_hit_while_the_entry_is_half_filled_leaves_no_position_and_no_entry() -> None:
    """nautilus_trader#2704: it corrupted the position."""
    paper = protected(filled="0.002")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.002", "59000")
    assert paper.said() == ["cancel long.entry#0", "cancel long.take_profit#0"]
    paper.fill("long.entry#0", "0.001", "60000")  # the cancel was too late for this
    said = paper.said()
    assert any(line.endswith("SELL 0.001 @59000 reduce-only") for line in said)
    paper.cancelled("long.entry#0", "long.take_profit#0")
    again = next(line.split()[1] for line in said if "STOP_MARKET" in line)
    paper.reject(again, -2021)
    close = next(line.split()[1] for line in paper.said() if " MARKET SELL 0.001" in line)
    paper.fill(close, "0.001", "58900")
    for name in [name for name, client_id in paper.names.items() if "take_profit#1" in name]:
        paper.cancelled(name)
    assert paper.ends() == {"long": "cancelled stopped"}


def test_after_the_first_take_profit_the_stop_is_no_longer_for_the_original_size() -> None:
    """jesse#510."""
    paper = protected(HALVES)
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.002", "61000")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only"]


def test_a_close_that_filled_in_part_is_finished() -> None:
    """hummingbot#7129: it waited for ever at 11.3 / 11.83."""
    paper = protected()
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED)
    paper.reject("long.stop_loss#1", -2021)
    paper.cancelled("long.take_profit#0")
    paper.said()
    paper.fill("long.stop_loss#2", "0.003", "58900")
    paper.report("long.stop_loss#2", OrderStatus.EXPIRED)
    paper.fire("pause:long")
    assert paper.said() == ["place long.stop_loss#3 MARKET SELL 0.001 reduce-only"]
    paper.fill("long.stop_loss#3", "0.001", "58900")
    assert paper.ends() == {"long": "succeeded"}


def test_a_position_closed_in_pieces_leaves_nothing_for_the_next_step() -> None:
    """freqtrade#7449: 0.02 contracts were left and the next size was wrong."""
    paper = protected(LONG + "  - id: again\n    after: long\n    exit: {side: SELL, "
                             "quantity: {position: 100%}, type: MARKET}\n")
    paper.trigger("long.take_profit#0")
    for qty in ("0.001", "0.002", "0.001"):
        paper.fill("long.take_profit#0", qty, "61000")
    for name in [name for name in paper.names if "stop_loss" in name]:
        paper.cancelled(name)
    assert paper.ends() == {"long": "succeeded", "again": "skipped nothing_to_do"}


def test_the_next_position_is_not_opened_before_the_sibling_of_the_last_one_is_gone() -> None:
    """nautilus_trader#4043: an orphaned exit fired on the next position."""
    paper = protected(LONG + "  - id: next\n    after: long\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n")
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.004", "61000")
    assert paper.said() == ["cancel long.stop_loss#0"]
    paper.cancelled("long.stop_loss#0")
    assert paper.said() == ["place next.entry#0 MARKET BUY 0.001"]


def test_a_take_profit_does_not_stay_open_when_the_stop_has_closed_the_position() -> None:
    """Binance_Futures_python#100, node-binance-api#769."""
    paper = protected()
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.004", "59000")
    assert paper.said() == ["cancel long.take_profit#0"]


def test_a_cancel_that_fails_because_the_order_filled_is_no_reason_to_buy_again() -> None:
    """passivbot#514: it assumed the order was never placed."""
    paper = Paper("  - id: t\n    twap: {side: BUY, quantity: 0.006, slices: 2, every: 2s, type: LIMIT, "
                  "price: 60000}\n")
    paper.accept("t.slice.1#0")
    paper.fire("edge:1")
    paper.said()
    paper.reject("t.slice.1#0", -2011, Action.CANCEL)
    assert paper.said() == ["query t.slice.1#0"]
    paper.fill("t.slice.1#0", "0.003")
    assert paper.said() == ["place t.slice.2#0 LIMIT BUY 0.003 @60000"]


def test_a_fill_that_races_a_cancel_is_protected() -> None:
    """hummingbot#8094: the hedge leg was skipped and the position naked."""
    paper = Paper(LONG + "    timeout: 1s\n")
    paper.accept("long.entry#0")
    paper.fire("timeout:long")
    paper.said()
    paper.fill("long.entry#0", "0.004")
    assert paper.said()[0] == "place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"


def test_two_closes_are_never_sent_in_one_moment() -> None:
    """hummingbot#6609: the second was rejected as reduce-only."""
    paper = protected(LONG + "  - id: out\n    when: {delay: 1s}\n    flatten: {}\n  - id: also\n"
                             "    when: {delay: 1s}\n    flatten: {}\n")
    paper.fire("when:out.start")
    paper.fire("when:also.start")
    assert [line for line in paper.said() if line.startswith("place")] == [
        "place long.stop_loss#1 MARKET SELL 0.004 reduce-only",
    ]


def test_a_resting_take_profit_does_not_block_the_close() -> None:
    """Qubx#386: -4118 for any close while a full-size reduce-only order rests."""
    paper = protected(LONG.replace("take_profit: {price: 61000}", "take_profit: {type: LIMIT, price: 61000}"))
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED)
    paper.said()
    paper.reject("long.stop_loss#1", -2021)
    assert paper.said() == ["cancel long.take_profit#0"]
    paper.cancelled("long.take_profit#0")
    assert paper.said() == ["place long.stop_loss#2 MARKET SELL 0.004 reduce-only"]
    paper.reject("long.stop_loss#2", -4118)
    paper.fire("pause:long")
    assert paper.said()[-1] == "place long.stop_loss#2 MARKET SELL 0.004 reduce-only"


def test_no_stop_survives_the_exit() -> None:
    """freqtrade#11608: a stop was re-created by the loop just after the exit, and stayed."""
    paper = protected(filled="0.002")
    paper.fill("long.entry#0", "0.002")  # a larger stop is on its way
    paper.said()
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.002", "59000")
    paper.cancelled("long.take_profit#0")
    paper.accept("long.stop_loss#1")
    paper.trigger("long.stop_loss#1")
    paper.fill("long.stop_loss#1", "0.002", "59000")
    paper.report("long.stop_loss#1", OrderStatus.EXPIRED)
    said = paper.said()
    for name in [name for name in paper.names if name not in ("long.entry#0", "long.stop_loss#0", "long.stop_loss#1")]:
        if name != "long.take_profit#0":
            assert f"cancel {name}" in said or f"place {name}" in " ".join(said)
            paper.cancelled(name)
    assert paper.ends() == {"long": "succeeded"}


def test_a_stop_is_not_replaced_while_nothing_about_it_changes() -> None:
    """freqtrade#11788: 175 replacements in 14 minutes while a limit exit rested."""
    paper = protected(LONG.replace("take_profit: {price: 61000}", "take_profit: {type: LIMIT, price: 61000}"))
    for _ in range(100):
        paper.now_ms += 1_000
        paper.accept("long.stop_loss#0", "long.take_profit#0")
        paper.observe()
        paper.position("0.004")
    assert paper.said() == []


def test_a_stop_that_keeps_ending_is_placed_again_at_most_once_a_second() -> None:
    """binance-futures-connector-python#260: the demo exchange cancels stops; and no flood follows from it."""
    paper = protected(LONG + "    protected_within: 1h\n")
    began_ms = paper.now_ms
    placed = 0
    while paper.now_ms < began_ms + 10_000:
        name = [name for name in paper.names if "stop_loss" in name][-1]
        paper.accept(name)
        paper.report(name, OrderStatus.EXPIRED)
        lines = [line for line in paper.said() if line.startswith("place")]
        if not lines:
            paper.fire("retry:long.stop_loss")
            lines = [line for line in paper.said() if line.startswith("place")]
        placed += len(lines)
    assert placed <= 12


def test_protection_stands_until_the_close_is_filled_and_when_the_close_is_rejected() -> None:
    """go-trader#1538: it was cancelled before the close was sent, the close was rejected, nothing re-armed."""
    paper = protected(LONG + "  - id: out\n    when: {delay: 1s}\n    flatten: {}\n")
    paper.fire("when:out.start")
    paper.cancelled("long.take_profit#0")
    paper.reject("long.stop_loss#1", -2019)
    paper.fire("pause:long")
    assert not [line for line in paper.said() if line.startswith("cancel long.stop_loss")]


def test_a_stop_whose_answer_was_lost_does_not_stack_up() -> None:
    """freqtrade#12681: several live stops for one position."""
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.take_profit#0")
    paper.lose("long.stop_loss#0")
    paper.fire("twin:long.stop_loss")
    for _ in range(5):
        paper.now_ms += 100
        paper.lose("long.stop_loss#1")
        paper.not_found("long.stop_loss#0")
    assert [name for name in paper.names if "stop_loss" in name] == ["long.stop_loss#0", "long.stop_loss#1"]


def test_a_fill_of_a_triggered_order_is_booked_though_it_carries_a_new_order_id() -> None:
    """banexg#10: it was dropped, and a fake exit was booked later."""
    paper = protected()
    client_id = paper.names["long.stop_loss#0"]
    paper.trigger("long.stop_loss#0")
    paper.give(OrderReport(
        paper.now_ms, "BTCUSDT", client_id, "another-id", OrderStatus.FILLED, Decimal("0.004"), Decimal(59_000),
    ))
    paper.cancelled("long.take_profit#0")
    assert paper.ends() == {"long": "succeeded"}


def test_a_stop_that_would_trigger_at_once_after_a_fast_entry_closes_the_position() -> None:
    """ccxt#18643."""
    paper = Paper(LONG.replace("{type: LIMIT, price: 60000}", "{type: MARKET}"))
    paper.fill("long.entry#0", "0.004", "58990")
    paper.accept("long.take_profit#0")
    paper.said()
    paper.reject("long.stop_loss#0", -2021)
    assert paper.said() == ["cancel long.take_profit#0", "place long.stop_loss#1 MARKET SELL 0.004 reduce-only"]


def test_an_exit_refused_because_the_position_is_gone_does_not_loop() -> None:
    """freqtrade#6739: -2022 every cycle."""
    paper = protected()
    paper.report("long.take_profit#0", OrderStatus.EXPIRED)
    began_ms = paper.now_ms
    tries = 0
    while paper.ends() == {} and paper.now_ms < began_ms + 60_000:
        for name in [line.split()[1] for line in paper.said() if line.startswith("place")]:
            tries += 1
            paper.reject(name, -2022)
        due = min((timer for timer in paper.timers), key=lambda one: paper.timers[one])
        paper.fire(due)
        said = paper.said()
        if "read BTCUSDT" in said:
            paper.position("0")
        paper.lines = [line for line in said if line.startswith("place")] + paper.lines
        if "cancel long.stop_loss#0" in paper.lines:
            paper.cancelled("long.stop_loss#0")
    assert paper.ends() == {"long": "failed position_gone"}
    assert tries <= 5
    assert paper.now_ms - began_ms <= 4_000


def test_a_residual_below_the_least_notional_is_closed() -> None:
    """Lean.Brokerages.Binance#82: a check of ours refused it."""
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: {position: 100%}, type: MARKET}\n", price="1000",
        positions={"BTCUSDT": "0.001"},
    )
    assert paper.said() == ["place x.exit#0 MARKET SELL 0.001 reduce-only"]


def test_computed_exits_lie_on_the_tick() -> None:
    """torchtrade#197: -1111 for stop and take-profit, and the position ran without protection."""
    steps = LONG.replace("{type: LIMIT, price: 60000}", "{type: MARKET}")
    paper = Paper(steps.replace("price: 61000", "distance: 1.37%").replace("stop_price: 59000", "distance: 0.731%"))
    paper.fill("long.entry#0", "0.004", "60123.7")
    for name in ("long.stop_loss#0", "long.take_profit#0"):
        trigger = paper.sent[paper.names[name]].trigger_price
        assert trigger is not None
        assert trigger % Decimal("0.1") == 0


def test_a_stop_that_the_exchange_will_never_take_ends_in_a_close_and_not_without_protection() -> None:
    """torchtrade#197, the other half."""
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.take_profit#0")
    paper.reject("long.stop_loss#0", -1111)
    paper.said()
    bound_ms = paper.timers["bound:long"]
    said: list[str] = []
    while paper.now_ms < bound_ms:
        paper.fire(min(paper.timers, key=lambda one: paper.timers[one]))
        lines = paper.said()
        said += lines
        for name in [line.split()[1] for line in lines if "STOP_MARKET" in line]:
            paper.reject(name, -1111)
    assert "place long.stop_loss#0 MARKET SELL 0.004 reduce-only" in said


def test_slices_lie_on_the_step_and_leave_no_dust() -> None:
    """nautilus_trader#4544, #1442: off-grid children, a dust remainder, everything at once."""
    paper = Paper("  - id: t\n    twap: {side: BUY, quantity: 0.020, slices: 7, every: 1s}\n")
    sizes = []
    for k in range(1, 8):
        sizes.append(paper.sent[paper.names[f"t.slice.{k}#0"]].quantity)
        paper.fill(f"t.slice.{k}#0", str(sizes[-1]))
        if k < 7:
            paper.fire(f"edge:{k}")
    assert sizes == [Decimal("0.002")] * 6 + [Decimal("0.008")]
    assert paper.ends() == {"t": "succeeded"}


def test_a_quantity_just_above_the_least_is_sliced_as_far_as_it_goes() -> None:
    """hummingbot#3696: 'not possible to break the order'."""
    paper = Paper("  - id: t\n    twap: {side: BUY, quantity: 0.002, slices: 2, every: 1s}\n")
    paper.fill("t.slice.1#0", "0.001")
    paper.fire("edge:1")
    paper.fill("t.slice.2#0", "0.001")
    assert paper.ends() == {"t": "succeeded"}


def test_a_last_slice_that_is_refused_ends_the_schedule_and_says_what_is_missing() -> None:
    """bfx-hf-algo#176: it stopped the algo without an end."""
    paper = Paper("  - id: t\n    twap: {side: BUY, quantity: 0.004, slices: 2, every: 1s}\n")
    paper.fill("t.slice.1#0", "0.002")
    paper.fire("edge:1")
    paper.reject("t.slice.2#0", -4164)
    assert paper.ends() == {"t": "failed incomplete"}


def test_an_order_accepted_before_an_outage_is_not_forgotten() -> None:
    """hummingbot#8457: it was marked failed, and a short was left that nobody knew of."""
    paper = Paper(LONG)
    paper.lose("long.entry#0")
    assert paper.ends() == {}
    paper.now_ms += 60_000
    paper.not_found("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    assert "place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only" in paper.said()


def test_an_unknown_status_is_not_answered_by_sending_again() -> None:
    """nautilus_trader#4215: a retry although the stream had said accepted, then -4116."""
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.lose("long.entry#0")
    paper.said()
    paper.now_ms += 60_000
    paper.accept("long.entry#0")
    paper.lose("long.entry#0")
    assert not [line for line in paper.said() if line.startswith(("place", "again"))]


def test_an_exit_refused_because_the_exchange_does_not_see_the_entry_yet_is_tried_again() -> None:
    """nautilus_trader#5009: 'would have increased position', and nothing protected."""
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.take_profit#0")
    paper.said()
    paper.reject("long.stop_loss#0", -2022)
    paper.fire("retry:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"]
