from decimal import Decimal
from typing import Any

import pytest
from aiohttp import ServerDisconnectedError, WSMsgType
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.venue.fapi.room import NOW, Room, served


async def refused(room: Room, path: str, **body: Any) -> str:
    """The sentence of a refusal."""
    status, answer = await room.ask("POST", path, body)
    assert status == 400
    return str(answer["error"])


def test_the_overview_names_markets_accounts_and_routes() -> None:
    async def story(room: Room) -> None:
        found = await room.get("/sim")
        assert "no real exchange" in found["what"]
        assert found["markets"]["BTCUSDT"]["market"] == "drawn"
        assert found["accounts"] == ["sim"]
        assert {"POST /sim/price", "DELETE /sim/faults/{number}"} <= set(found["routes"])

    served(story)


def test_stepwise_the_clock_moves_by_steps_alone() -> None:
    async def story(room: Room) -> None:
        assert (await room.get("/sim/clock"))["exchange_ms"] == NOW
        assert await room.post("/sim/step", ms=2_500) == {
            "exchange_ms": NOW + 2_500, "front_ms": NOW, "speed": "step", "data_fed": 3, "next_datum_ms": NOW + 3_000,
            "fed": 3,
        }
        assert (await room.post("/sim/step", data=2))["exchange_ms"] == NOW + 4_000
        assert (await room.post("/sim/step", until=NOW + 60_000))["fed"] == 5
        assert (await room.get("/sim/clock"))["next_datum_ms"] is None
        assert room.exchange.books["BTCUSDT"].last_px == Decimal(60009)

    served(story)


def test_one_step_goes_at_most_a_year() -> None:
    async def story(room: Room) -> None:
        assert "at most 366 days" in await refused(room, "/sim/step", ms=10**30)
        assert "at most 366 days" in await refused(room, "/sim/step", until=10**30)
        assert (await room.get("/sim/clock"))["exchange_ms"] == NOW

    served(story)


def test_the_speed_can_be_changed() -> None:
    async def story(room: Room) -> None:
        assert (await room.post("/sim/clock", speed="100x"))["speed"] == "100x"
        assert "not one like 1x" in await refused(room, "/sim/clock", speed="fast")

    served(story)


def test_a_price_by_hand_fills_what_it_goes_through_and_leads_from_then_on() -> None:
    async def story(room: Room) -> None:
        room.buy("0.010", "59990.0")
        shown = await room.post("/sim/price", symbol="BTCUSDT", price="59980.0")
        assert (shown["last"], shown["at_ms"]) == ("59980.0", NOW)
        assert room.held == Decimal("0.010")
        await room.post("/sim/step", ms=5_000)
        assert (await room.get("/sim"))["markets"]["BTCUSDT"]["led_by_hand"] is True
        assert room.exchange.books["BTCUSDT"].last_px == Decimal("59980.0")
        await room.post("/sim/price", symbol="BTCUSDT", follow=True)
        await room.post("/sim/step", ms=1_000)
        assert room.exchange.books["BTCUSDT"].last_px == Decimal(60006)

    served(story)


def test_a_price_with_a_quantity_is_a_trade_that_fills_in_part() -> None:
    async def story(room: Room) -> None:
        room.buy("0.010", "59990.0")
        await room.post("/sim/price", symbol="BTCUSDT", price=59980, qty=0.004)
        assert room.held == Decimal("0.004")

    served(story)


def test_a_quote_and_a_mark_can_be_set_and_a_later_price_takes_the_quote_along() -> None:
    async def story(room: Room) -> None:
        shown = await room.post("/sim/price", symbol="BTCUSDT", bid=60000, ask="60000.5", mark="60010.0")
        assert (shown["bid"], shown["ask"], shown["mark"]) == ("60000", "60000.5", "60010.0")
        shown = await room.post("/sim/price", symbol="BTCUSDT", price=61000)
        assert (shown["bid"], shown["ask"], shown["last"]) == ("61000", "61000.5", "61000")

    served(story)


@pytest.mark.parametrize(("route", "body", "words"), [
    ("price", {"symbol": "NONE", "price": 1}, "There is no symbol 'NONE'; symbols: BTCUSDT."),
    ("price", {"symbol": "BTCUSDT"}, "Give a price, a bid with its ask, a mark"),
    ("price", {"symbol": "BTCUSDT", "price": 60000.05}, "price is 60000.05: a multiple of the tick 0.10"),
    ("price", {"symbol": "BTCUSDT", "price": -1}, "above zero"),
    ("price", {"symbol": "BTCUSDT", "price": "1e50"}, "no number of at most 40 digits"),
    ("price", {"symbol": "BTCUSDT", "price": "NaN"}, "price is NaN"),
    ("price", {"symbol": "BTCUSDT", "bid": 60000}, "both a bid and an ask"),
    ("price", {"symbol": "BTCUSDT", "bid": 60000, "ask": 60000}, "The bid is not below the ask."),
    ("price", {"symbol": "BTCUSDT", "price": 60000, "qty": 0}, "qty is not above zero"),
    ("price", {"symbol": "BTCUSDT", "prize": 1}, "unknown field `prize`. The keys are symbol, price,"),
    ("price", {"price": 1}, "missing required field `symbol`"),
    ("step", {}, "Give exactly one of ms"),
    ("step", {"ms": 1, "data": 1}, "Give exactly one of ms"),
    ("step", {"ms": -1}, "Give exactly one of ms"),
    ("step", {"ms": "1"}, "Expected `int | null`, got `str`"),
    ("step", {"until": 5}, "which lies before now"),
    ("faults", {"name": "lost_anser"}, "'lost_anser' is no fault's name (name): did you mean 'lost_answer'?"),
    ("faults", {"faults": [{"name": "lost_answer", "nth": 0}]}, "nth is 0 (faults.0.nth)"),
    ("accounts", {"name": "sim"}, "'sim' is empty or taken"),
    ("accounts", {"name": "x", "public_key": "none"}, "an Ed25519 public key in PEM is needed"),
    ("close", {"symbol": "BTCUSDT"}, "sim holds 0 of BTCUSDT BOTH."),
    ("close", {"symbol": "BTCUSDT", "account": "who"}, "There is no account 'who'; accounts: sim."),
    ("transfer", {"amount": -20000}, ""),
    ("limits", {"weight": "none"}, "weight"),
    ("nothing", {}, "There is no POST /sim/nothing; GET /sim lists what there is."),
])
def test_what_makes_no_sense_is_refused_with_a_sentence(route: str, body: dict[str, Any], words: str) -> None:
    async def story(room: Room) -> None:
        assert words in await refused(room, f"/sim/{route}", **body)

    served(story)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"ms": NaN}', b'"ms"', b"null", b"9" * 5_000])
def test_a_hostile_body_is_refused(body: bytes) -> None:
    async def story(room: Room) -> None:
        for route in ("step", "faults", "price"):
            async with room.client.post(f"{room.base}/sim/{route}", data=body) as answer:
                assert answer.status == 400
                assert (await answer.json())["error"]

    served(story)


def test_faults_are_added_listed_and_removed() -> None:
    async def story(room: Room) -> None:
        assert await room.post("/sim/faults", name="lost_answer", nth=2) == {"numbers": [1]}
        assert await room.post("/sim/faults", faults=[{"name": "slow_answer"}, {"name": "event_late"}]) == {
            "numbers": [2, 3],
        }
        first, *others = await room.get("/sim/faults")
        assert first == {
            "number": 1, "met": 0, "happened": 0, "name": "lost_answer", "client_id": "*", "nth": 2, "count": 1,
        }
        assert [each["delay_ms"] for each in others] == [2_000, 2_000]
        await room.delete("/sim/faults/2")
        assert [each["number"] for each in await room.get("/sim/faults")] == [1, 3]
        await room.delete("/sim/faults")
        assert await room.get("/sim/faults") == []

    served(story)


def test_orders_positions_balances_and_events_are_shown_by_account() -> None:
    async def story(room: Room) -> None:
        room.buy("0.010", "59990.0", "resting")
        room.buy("0.010", client_id="taken")
        orders = await room.get("/sim/orders")
        assert [order["clientOrderId"] for order in orders["sim"]["orders"]] == ["resting"]
        assert orders["sim"]["conditionals"] == []
        every = await room.get("/sim/orders?account=sim&symbol=BTCUSDT&closed=true")
        assert {order["clientOrderId"] for order in every["sim"]["orders"]} == {"resting", "taken"}
        positions = await room.get("/sim/positions")
        assert [row["positionAmt"] for row in positions["sim"]["positions"]] == ["0.010"]
        balances = await room.get("/sim/balances")
        assert balances["sim"]["balances"][0]["asset"] == "USDT"

    served(story)


def test_the_event_log_is_read_by_its_cursor() -> None:
    async def story(room: Room) -> None:
        room.buy("0.010", client_id="first")
        whole = await room.get("/sim/events")
        names = [each["event"]["e"] for each in whole["events"]]
        assert {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"} <= set(names)
        room.buy("0.010", client_id="second")
        later = await room.get(f"/sim/events?after={whole['last']}")
        ids = {each["event"]["o"]["c"] for each in later["events"] if each["event"]["e"] == "ORDER_TRADE_UPDATE"}
        assert ids == {"second"}
        assert await room.get(f"/sim/events?after={later['last']}") == {"events": [], "last": later["last"]}
        one = await room.get("/sim/events?limit=1")
        assert {each["number"] for each in one["events"]} == {1}
        async with room.client.get(f"{room.base}/sim/events?after=x") as answer:
            assert answer.status == 400

    served(story)


def test_an_account_is_opened_with_a_secret_or_a_public_key() -> None:
    async def story(room: Room) -> None:
        made = await room.post("/sim/accounts", name="bot", balance=500, leverage=7, hedge=True)
        assert made == {"account": "bot", "api_key": "bot-key", "api_secret": "bot-secret"}
        account = room.exchange.accounts["bot"]
        assert (account.wallet("USDT"), account.config("BTCUSDT").leverage, account.hedge) == (Decimal(500), 7, True)
        public = Ed25519PrivateKey.generate().public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        made = await room.post("/sim/accounts", name="signer", key="k-1", public_key=pem)
        assert made == {"account": "signer", "api_key": "k-1"}
        assert room.door.keys.find("k-1").account == "signer"

    served(story)


def test_a_refused_account_leaves_nothing_behind() -> None:
    async def story(room: Room) -> None:
        assert "not from 1 to 150" in await refused(room, "/sim/accounts", name="bad", leverage=151)
        assert "below zero" in await refused(room, "/sim/accounts", name="bad", balance=-1)
        await refused(room, "/sim/accounts", name="bad", public_key="none")
        assert list(room.exchange.accounts) == ["sim"]
        assert (await room.post("/sim/accounts", name="bad"))["account"] == "bad"

    served(story)


@pytest.mark.parametrize(("route", "begins"), [("close", "web_"), ("adl", "adl_autoclose")])
def test_a_position_is_closed_in_part_and_whole(route: str, begins: str) -> None:
    async def story(room: Room) -> None:
        room.buy("0.010")
        await room.post(f"/sim/{route}", symbol="BTCUSDT", qty="0.004")
        assert room.held == Decimal("0.006")
        await room.post(f"/sim/{route}", symbol="BTCUSDT", account="sim")
        assert room.held == 0
        events = (await room.get("/sim/events"))["events"]
        last = [each["event"] for each in events if each["event"]["e"] == "ORDER_TRADE_UPDATE"][-1]
        assert last["o"]["c"].startswith(begins)

    served(story)


def test_money_is_moved_and_funding_set() -> None:
    async def story(room: Room) -> None:
        assert (await room.post("/sim/transfer", amount="-100.5"))["wallet"] == "9899.5"
        await room.post("/sim/funding", symbol="BTCUSDT", rate="-0.002")
        assert room.exchange.funding_rate("BTCUSDT") == Decimal("-0.002")
        assert "rate" in await refused(room, "/sim/funding", symbol="BTCUSDT", rate=None)

    served(story)


def test_limits_are_read_and_set_one_by_one() -> None:
    async def story(room: Room) -> None:
        before = await room.get("/sim/limits")
        after = await room.post("/sim/limits", weight=None, orders_10s=50)
        assert after == {**before, "weight": None, "orders_10s": 50}
        assert room.door.limits.weight is None

    served(story)


def test_the_switches_are_shown() -> None:
    async def story(room: Room) -> None:
        rules = await room.get("/sim/rules")
        assert rules["conflict"] == "KNOCK_OUT"
        assert rules["countdown_covers_conditionals"] is False

    served(story)


def test_what_was_asked_is_listed_with_its_account_and_its_answer() -> None:
    async def story(room: Room) -> None:
        await room.order("first")
        await room.order("first", side="HOLD")
        await room.signed("DELETE", "/fapi/v1/algoOrder", clientAlgoId="none")
        found = await room.get("/sim/requests?account=sim")
        rows = [{key: row.get(key) for key in ("route", "newClientOrderId", "clientAlgoId", "status", "code")}
                for row in found["requests"]]
        assert rows == [
            {"route": "POST /fapi/v1/order", "newClientOrderId": "first", "clientAlgoId": None, "status": 200,
             "code": 0},
            {"route": "POST /fapi/v1/order", "newClientOrderId": "first", "clientAlgoId": None, "status": 400,
             "code": -1117},
            {"route": "DELETE /fapi/v1/algoOrder", "newClientOrderId": None, "clientAlgoId": "none", "status": 400,
             "code": -2011},
        ]
        assert found["requests"][0]["at_ms"] == NOW
        later = await room.get(f"/sim/requests?after={found['last'] - 1}")
        assert [row["clientAlgoId"] for row in later["requests"]] == ["none"]
        assert (await room.get("/sim/requests?account=nobody"))["requests"] == []

    served(story)


def test_a_request_whose_key_nobody_has_is_listed_without_an_account() -> None:
    async def story(room: Room) -> None:
        status, answer = await room.ask("GET", "/fapi/v3/balance?timestamp=1&signature=x")
        assert (status, answer["code"]) == (401, -2014)
        (row,) = (await room.get("/sim/requests?account="))["requests"]
        assert (row["account"], row["status"], row["code"]) == ("", 401, -2014)

    served(story)


def test_a_request_whose_answer_was_lost_is_listed_without_one() -> None:
    async def story(room: Room) -> None:
        with pytest.raises(ServerDisconnectedError):
            await room.order("lost")
        (row,) = (await room.get("/sim/requests"))["requests"]
        assert (row["newClientOrderId"], row["status"]) == ("lost", 0)

    served(story, {"name": "lost_answer"})


def test_the_front_s_clock_can_be_off_and_the_market_s_is_not() -> None:
    async def story(room: Room) -> None:
        shown = await room.post("/sim/clock", off_ms=60_000)
        assert (shown["front_ms"], shown["exchange_ms"]) == (NOW + 60_000, NOW)
        assert (await room.get("/fapi/v1/time"))["serverTime"] == NOW + 60_000
        status, answer = await room.order("late")
        assert (status, answer["code"]) == (400, -1021)
        await room.post("/sim/clock", off_ms=0)
        assert (await room.order("in-time"))[0] == 200
        assert "speed, off_ms, or both" in await refused(room, "/sim/clock")
        assert "more than a day" in await refused(room, "/sim/clock", off_ms=10**9)

    served(story)


def test_a_fault_for_one_account_is_met_by_its_requests_and_its_socket_alone() -> None:
    async def story(room: Room) -> None:
        await room.post("/sim/accounts", name="other")
        assert (await room.order("mine"))[0] == 200
        stream = await room.user_stream()
        await room.post("/sim/faults", name="socket_dropped", account="other")
        await room.order("told")
        assert (await stream.receive(timeout=5)).type is WSMsgType.TEXT
        assert [fault["happened"] for fault in await room.get("/sim/faults")] == [0, 0]
        await room.post("/sim/faults", name="socket_dropped", account="sim")
        while (await stream.receive(timeout=5)).type is WSMsgType.TEXT:
            pass
        assert stream.closed

    served(story, {"name": "unavailable_503", "account": "other"})
