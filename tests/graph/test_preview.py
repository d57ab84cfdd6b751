"""The requests that a plan would send, and its worst case."""

from decimal import Decimal as D

from runner.graph.preview import ALGO_ORDER, ORDER, PlannedOrder, Preview, as_json, preview
from tests.graph.plans import BRACKET, TWAP_AND_GUARD, graph

FEE = D("0.0005")


def _preview(steps: str, **prices: str) -> Preview:
    return preview(graph(steps), 5, FEE, {symbol: D(price) for symbol, price in prices.items()})


def _orders(found: Preview) -> dict[str, PlannedOrder]:
    return {order.node_id: order for order in found.orders}


def test_a_limit_entry_is_a_regular_order_with_all_its_parameters() -> None:
    entry = _orders(_preview(BRACKET))["long.entry"]
    assert entry.endpoint == ORDER
    assert entry.request == {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.004", "price": "60000",
        "timeInForce": "GTC", "newOrderRespType": "RESULT", "newClientOrderId": "<run>.1.0.0.0",
    }
    assert (entry.at_run_time, entry.notional) == ({}, D(240))


def test_a_stop_is_a_conditional_order_whose_quantity_follows_the_fills() -> None:
    stop = _orders(_preview(BRACKET))["long.stop_loss"]
    assert stop.endpoint == ALGO_ORDER
    assert stop.request == {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "59000",
        "reduceOnly": "true", "workingType": "CONTRACT_PRICE", "clientAlgoId": "<run>.2.0.0.0",
    }
    assert stop.at_run_time == {"quantity": "all that is open, at most 0.004"}


def test_a_stop_of_the_whole_position_has_neither_a_quantity_nor_reduce_only() -> None:
    stop = _orders(_preview(BRACKET.replace("stop_price: 59000", "stop_price: 59000, close_position: true")))[
        "long.stop_loss"]
    assert stop.request == {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET",
        "closePosition": "true", "triggerPrice": "59000", "workingType": "CONTRACT_PRICE",
        "clientAlgoId": "<run>.2.0.0.0",
    }
    assert (stop.at_run_time, stop.notional) == ({}, D(236))


def test_gtd_has_its_date_in_milliseconds() -> None:
    entry = _orders(_preview(
        "  - {id: a, time_in_force: GTD, entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000,"
        " good_till: 2026-11-24T20:00:00Z}}\n"
    ))["a.entry"]
    assert (entry.request["timeInForce"], entry.request["goodTillDate"]) == ("GTD", "1795550400000")


def test_take_profits_are_for_their_share() -> None:
    second = _orders(_preview(BRACKET))["long.take_profit.2"]
    assert second.request["price"] == second.request["triggerPrice"] == "62000"
    assert second.request["timeInForce"] == "GTC"
    assert second.at_run_time == {"quantity": "50% of what is filled, at most 0.002"}
    assert second.notional == D(124)


def test_market_slices_have_exact_quantities_and_no_price() -> None:
    orders = _orders(_preview(TWAP_AND_GUARD))
    assert [orders[f"rebuy.slice.{k}"].request["quantity"] for k in (1, 2, 3)] == ["0.003", "0.003", "0.004"]
    assert set(orders["rebuy.slice.1"].request) == {
        "symbol", "side", "type", "quantity", "newOrderRespType", "newClientOrderId",
    }
    assert orders["rebuy.slice.1"].notional is None
    assert orders["guard.stop_loss"].request["price"] == "58800"
    assert orders["guard.stop_loss"].at_run_time == {"quantity": "all that is open, at most 0.01"}


def test_randomised_slices_are_settled_at_run_time() -> None:
    found = _preview("  - {id: a, twap: {side: BUY, quantity: 0.009, slices: 3, every: 2s, randomize: 20%}}\n")
    assert _orders(found)["a.slice.2"].at_run_time == {"quantity": "slice 2 of 3"}


def test_prices_that_count_from_a_fill_are_said_in_words_and_taken_at_the_given_price() -> None:
    steps = (
        "  - id: a\n    bracket:\n      side: BUY\n      notional: 600\n      entry: {type: MARKET}\n"
        "      take_profit: {distance: 2R}\n      stop_loss: {distance: 1%}\n"
    )
    unknown = _preview(steps)
    assert _orders(unknown)["a.entry"].at_run_time == {"quantity": "600 USDT worth"}
    assert _orders(unknown)["a.take_profit"].at_run_time == {
        "quantity": "all that is filled", "price": "2R above the fill of a.entry",
        "triggerPrice": "2R above the fill of a.entry",
    }
    assert unknown.worst.unpriced == ("a",)
    known = _preview(steps, BTCUSDT="60000")
    assert _orders(known)["a.entry"].at_run_time == {"quantity": "600 USDT worth, about 0.01"}
    assert _orders(known)["a.stop_loss"].notional == D("0.010") * 59400
    assert _orders(known)["a.take_profit"].notional == D("0.010") * 61200
    assert known.worst.unpriced == ()


def test_the_remaining_parameters_of_other_types() -> None:
    orders = _orders(_preview(
        "  - {id: a, working_type: MARK_PRICE, entry: {side: SELL, quantity: 0.004, type: TRAILING_STOP_MARKET,"
        " callback_rate: 0.5%, activation_price: 62000}}\n"
        "  - {id: b, exit: {side: SELL, quantity: {position: 50%}, type: LIMIT, distance: 1%}}\n",
    ))
    trailing = orders["a.entry"].request
    assert (trailing["callbackRate"], trailing["activatePrice"]) == ("0.5", "62000")
    assert trailing["workingType"] == "MARK_PRICE"
    assert orders["b.exit"].request["reduceOnly"] == "true"
    assert orders["b.exit"].at_run_time == {"quantity": "50% of the position", "price": "1% above the mark"}


def test_the_worst_case_counts_fees_and_the_limit_of_a_stop() -> None:
    """0.010 bought at 60000 and stopped at the limit 58800: 12 lost, and fees of 0.05 % on 600 and 588."""
    worst = _preview(TWAP_AND_GUARD, BTCUSDT="60000").worst
    assert worst.notional == {"USDT": D(600)}
    assert worst.initial_margin == {"USDT": D(120)}
    assert worst.loss_at_stops == {"USDT": D("12.594")}
    assert (worst.unpriced, worst.unstopped) == ((), ())


def test_a_short_loses_when_the_price_rises() -> None:
    worst = _preview(
        "  - id: a\n    bracket: {side: SELL, quantity: 0.010, entry: {type: LIMIT, price: 60000},"
        " stop_loss: {stop_price: 61000}}\n"
    ).worst
    assert worst.loss_at_stops == {"USDT": D(10) + D("0.605")}


def test_openers_without_a_stop_or_a_price_are_named() -> None:
    worst = _preview(
        "  - {id: a, entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}}\n"
        "  - {id: b, entry: {side: BUY, quantity: 0.004, type: MARKET}}\n"
        "  - {id: out, exit: {side: SELL, quantity: 0.004, type: MARKET}}\n"
    ).worst
    assert (worst.unstopped, worst.unpriced) == (("a", "b"), ("b",))
    assert (worst.notional, worst.loss_at_stops) == ({"USDT": D(240)}, {})


def test_a_closing_twap_is_for_what_its_source_opens() -> None:
    orders = _orders(_preview(BRACKET + (
        "  - {id: out, after: {long: first_fill}, twap: {side: SELL, quantity: {filled: long}, slices: 2, every: 2s}}\n"
    )))
    assert orders["out.slice.1"].at_run_time == {"quantity": "slice 1 of 2, at most 0.002"}
    assert orders["out.slice.1"].request["reduceOnly"] == "true"


def test_the_json_form_holds_numbers_as_text() -> None:
    seen = _preview(BRACKET)
    found = as_json(seen)
    orders = found["orders"]
    assert isinstance(orders, list)
    assert orders[0] == {
        "node": "long.entry", "endpoint": "POST /fapi/v1/order", "request": dict(seen.orders[0].request),
        "at_run_time": {}, "notional": "240",
    }
    assert found["worst_case"] == {
        "notional": {"USDT": "240"}, "initial_margin": {"USDT": "48"}, "loss_at_stops": {"USDT": "4.238"},
        "unpriced": [], "unstopped": [],
    }
