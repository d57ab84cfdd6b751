"""The events of the user stream, in the documented shapes."""

from runner.domain.values import TimeInForce
from runner.venue.facts import ConfigUpdate, Fact, MarginCalled
from runner.venue.fapi.shown.events import (
    account_config_update,
    account_update,
    algo_update,
    listen_key_expired,
    margin_call,
    order_trade_update,
    trade_lite,
    user_events,
)
from runner.venue.terms import Expiry, MarginType, PriceMatch, Reason, SelfTrade
from tests.venue.fapi.told import AT, BTC, WHO, algo, d, fill, instrument, money, order, position, request, taker, told

LATER = AT + 7


def names(facts: list[Fact]) -> list[str]:
    shown = []
    for _, event in user_events(facts, instrument, LATER):
        inner = event.get("o")
        shown.append(f"{event['e']} {inner['x']}" if isinstance(inner, dict) and "x" in inner else str(event["e"]))
    return shown


def test_a_fill_is_told_with_every_documented_key() -> None:
    filled = told("TRADE", order("FILLED", "0.010", "600.001"), fill())
    assert order_trade_update(filled, BTC, LATER) == {
        "e": "ORDER_TRADE_UPDATE", "E": LATER, "T": AT,
        "o": {
            "s": "BTCUSDT", "c": "st-a1-e1-0001", "S": "BUY", "o": "MARKET", "f": "GTC", "q": "0.010", "p": "0",
            "ap": "60000.10", "sp": "0", "x": "TRADE", "X": "FILLED", "i": 8389765519001, "l": "0.010", "z": "0.010",
            "L": "60000.10", "n": "0.30000050", "N": "USDT", "T": AT, "t": 536962673, "b": "0", "a": "0", "m": False,
            "R": False, "wt": "CONTRACT_PRICE", "ot": "MARKET", "ps": "BOTH", "cp": False, "rp": "0", "pP": False,
            "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0",
        },
    }


def test_an_order_without_a_fill_has_no_fee_and_no_trade() -> None:
    shown = order_trade_update(told("NEW", order()), BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert not {"n", "N", "M"} & shown.keys()
    assert (shown["l"], shown["z"], shown["L"], shown["ap"], shown["t"]) == ("0.000", "0.000", "0", "0", 0)


def test_a_resting_order_shows_its_limit_and_its_terms() -> None:
    asked = request(
        "LIMIT", price=d(59000), time_in_force=TimeInForce.GTD, good_till_ms=1_790_001_000_000, reduce_only=True,
        self_trade=SelfTrade.EXPIRE_BOTH, price_match=PriceMatch.QUEUE_5,
    )
    shown = order_trade_update(told("NEW", order(asked=asked)), BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert (shown["o"], shown["f"], shown["p"], shown["gtd"]) == ("LIMIT", "GTD", "59000.00", 1_790_001_000_000)
    assert (shown["R"], shown["V"], shown["pm"]) == (True, "EXPIRE_BOTH", "QUEUE_5")


def test_an_amendment_tells_its_modify_id_as_text_and_only_then() -> None:
    amended = told("AMENDMENT", order(asked=request("LIMIT", price=d(59000))), modify_id=7)
    shown = order_trade_update(amended, BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert (shown["x"], shown["X"], shown["M"]) == ("AMENDMENT", "NEW", "7")


def test_an_expiry_tells_its_reason_as_text() -> None:
    shown = order_trade_update(told("EXPIRED", order("EXPIRED"), expiry=Expiry.REDUCE_ONLY), BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert (shown["x"], shown["X"], shown["er"]) == ("EXPIRED", "EXPIRED", "4")


def test_the_order_of_a_liquidation_is_of_type_liquidation() -> None:
    asked = request(side="SELL", client_order_id="autoclose-1790000000123", time_in_force=TimeInForce.IOC)
    forced = told("CALCULATED", order("FILLED", "0.01", "600.001", asked=asked, forced=True), fill())
    shown = order_trade_update(forced, BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert (shown["o"], shown["ot"], shown["x"], shown["f"]) == ("LIQUIDATION", "LIQUIDATION", "CALCULATED", "IOC")


def test_a_user_order_that_calls_itself_autoclose_is_no_liquidation() -> None:
    shown = order_trade_update(told("NEW", order(asked=request(client_order_id="autoclose-me"))), BTC, LATER)["o"]
    assert isinstance(shown, dict) and shown["o"] == "MARKET"


def test_trade_lite_is_the_short_form_of_a_fill() -> None:
    assert trade_lite(order("FILLED", "0.01", "600.001"), fill(), BTC, LATER) == {
        "e": "TRADE_LITE", "E": LATER, "T": AT, "s": "BTCUSDT", "q": "0.010", "p": "0", "m": False,
        "c": "st-a1-e1-0001", "S": "BUY", "L": "60000.10", "l": "0.010", "t": 536962673, "i": 8389765519001,
    }


def test_a_taker_hears_trade_lite_then_new_then_its_trades_then_its_account() -> None:
    assert names([*taker()]) == [
        "TRADE_LITE", "TRADE_LITE", "ORDER_TRADE_UPDATE NEW", "ORDER_TRADE_UPDATE TRADE", "ORDER_TRADE_UPDATE TRADE",
        "ACCOUNT_UPDATE",
    ]


def test_the_account_update_of_a_taker_is_the_last_one_with_the_instant_of_the_trade() -> None:
    *_, (who, update) = user_events(taker(), instrument, LATER)
    assert who == WHO and update["T"] == AT
    assert update["a"] == account_update(money("9999.7", "0.01"), instrument, LATER)["a"]


def test_a_maker_hears_trade_lite_before_its_trade() -> None:
    facts = [told("TRADE", order("PARTIALLY_FILLED", "0.004", "240"), fill("0.004")), money()]
    assert names([*facts]) == ["TRADE_LITE", "ORDER_TRADE_UPDATE TRADE", "ACCOUNT_UPDATE"]


def test_fills_of_two_orders_at_one_instant_keep_their_accounts_apart() -> None:
    other = order("FILLED", "0.01", "600", order_id=2)
    first = [told("TRADE", order("FILLED", "0.01", "600"), fill()), money()]
    facts = [*first, told("TRADE", other, fill(order_id=2)), money()]
    assert names([*facts]) == 2 * ["TRADE_LITE", "ORDER_TRADE_UPDATE TRADE", "ACCOUNT_UPDATE"]


def test_a_trigger_is_told_around_the_life_of_its_order() -> None:
    facts = [algo("TRIGGERING"), algo("TRIGGERED"), *taker(), algo("FINISHED")]
    assert names([*facts]) == [
        "ALGO_UPDATE", "ALGO_UPDATE", "TRADE_LITE", "TRADE_LITE", "ORDER_TRADE_UPDATE NEW",
        "ORDER_TRADE_UPDATE TRADE", "ORDER_TRADE_UPDATE TRADE", "ACCOUNT_UPDATE", "ALGO_UPDATE",
    ]


def test_the_rest_of_a_market_order_expires_before_its_account_is_told() -> None:
    facts = [*taker(), told("EXPIRED", order("EXPIRED", "0.01", "600"), expiry=Expiry.UNFILLED_MARKET)]
    assert names([*facts])[-2:] == ["ORDER_TRADE_UPDATE EXPIRED", "ACCOUNT_UPDATE"]


def test_what_is_not_of_an_order_is_not_merged() -> None:
    facts = [money(reason=Reason.FUNDING_FEE), money(reason=Reason.FUNDING_FEE)]
    assert names([*facts]) == ["ACCOUNT_UPDATE", "ACCOUNT_UPDATE"]


def test_events_go_to_the_account_of_their_fact() -> None:
    facts = [told("NEW", order(), account="a"), told("NEW", order(), account="b")]
    assert [who for who, _ in user_events(facts, instrument, LATER)] == ["a", "b"]


def test_a_triggered_conditional_order_names_its_engine_order() -> None:
    triggered = algo("TRIGGERED", order_id=8389765519777, actual_type=request().order_type, triggered_ms=AT - 7)
    assert algo_update(triggered, BTC, LATER) == {
        "e": "ALGO_UPDATE", "T": AT, "E": LATER,
        "o": {
            "caid": "sl", "aid": 1000000181546843, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT",
            "S": "SELL", "ps": "BOTH", "f": "GTC", "q": "0.010", "X": "TRIGGERED", "ai": "8389765519777", "ap": "0",
            "aq": "0", "act": "MARKET", "tp": "58000", "p": "0", "V": "EXPIRE_MAKER", "wt": "CONTRACT_PRICE",
            "pm": "NONE", "cp": False, "pP": False, "R": True, "tt": AT - 7, "gtd": 0, "ia": False,
        },
    }


def test_a_finished_conditional_order_tells_what_its_order_filled() -> None:
    finished = algo(
        "FINISHED", order_id=1, actual_type=request().order_type, filled_qty=d("0.010"), cost=d("579.985"),
    )
    shown = algo_update(finished, BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert (shown["ap"], shown["aq"], shown["act"]) == ("57998.5", "0.010", "MARKET")


def test_a_waiting_conditional_order_has_no_engine_order_and_no_fills() -> None:
    shown = algo_update(algo("NEW"), BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert shown["ai"] == "" and not {"ap", "aq", "act", "rm"} & shown.keys()


def test_a_rejected_conditional_order_says_why() -> None:
    shown = algo_update(algo("REJECTED", reason="Reduce Only reject"), BTC, LATER)["o"]
    assert isinstance(shown, dict) and shown["rm"] == "Reduce Only reject"


def test_a_close_position_order_is_good_till_the_position_is_closed() -> None:
    asked = request("STOP_MARKET", "SELL", "0", trigger_price=d(58000), close_position=True)
    shown = algo_update(algo("NEW", asked), BTC, LATER)["o"]
    assert isinstance(shown, dict)
    assert (shown["f"], shown["q"], shown["R"], shown["cp"]) == ("GTE_GTC", "0", True, True)


def test_an_activated_trailing_stop_says_so() -> None:
    asked = request("TRAILING_STOP_MARKET", "SELL", callback_rate=d(1))
    shown = algo_update(algo("NEW", asked, activated=True), BTC, LATER)["o"]
    assert isinstance(shown, dict) and shown["ia"] is True and shown["tp"] == "0"


def test_balances_and_positions_are_told_in_the_documented_shape() -> None:
    assert account_update(money(), instrument, LATER) == {
        "e": "ACCOUNT_UPDATE", "E": LATER, "T": AT,
        "a": {
            "m": "ORDER",
            "B": [{"a": "USDT", "wb": "9999.69999950", "cw": "9999.69999950", "bc": "0"}],
            "P": [{
                "s": "BTCUSDT", "pa": "0.010", "ep": "60000.1", "bep": "60030.1", "cr": "0", "up": "-0.00100000",
                "mt": "cross", "iw": "0", "ps": "BOTH",
            }],
        },
    }


def test_funding_names_its_symbol() -> None:
    shown = account_update(money(reason=Reason.FUNDING_FEE, symbol="BTCUSDT"), instrument, LATER)["a"]
    assert isinstance(shown, dict) and (shown["m"], shown["S"]) == ("FUNDING_FEE", "BTCUSDT")


def test_a_margin_call_tells_mark_and_maintenance_of_each_position() -> None:
    near = (position(margin=MarginType.ISOLATED), d("187.17"), d("1.614445"))
    called = MarginCalled(WHO, AT, d("3.16812045"), (near,))
    assert margin_call(called, instrument, LATER) == {
        "e": "MARGIN_CALL", "E": LATER, "cw": "3.16812045",
        "p": [{
            "s": "BTCUSDT", "ps": "BOTH", "pa": "0.010", "mt": "ISOLATED", "iw": "0", "mp": "187.17",
            "up": "-0.00100000", "mm": "1.61444500",
        }],
    }


def test_every_fact_has_its_event() -> None:
    called = MarginCalled(WHO, AT, d(1), ())
    assert names([called, ConfigUpdate(WHO, AT, "BTCUSDT", 5), algo("NEW"), money(), told("NEW", order())]) == [
        "MARGIN_CALL", "ACCOUNT_CONFIG_UPDATE", "ALGO_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE NEW",
    ]


def test_a_change_of_leverage_and_the_end_of_a_listen_key_are_told() -> None:
    assert account_config_update(ConfigUpdate(WHO, AT, "BTCUSDT", 25), LATER) == {
        "e": "ACCOUNT_CONFIG_UPDATE", "E": LATER, "T": AT, "ac": {"s": "BTCUSDT", "l": 25},
    }
    assert listen_key_expired("k", LATER) == {"e": "listenKeyExpired", "E": LATER, "listenKey": "k"}
