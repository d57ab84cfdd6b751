"""Reading of parameters: what each rule refuses, and with which code."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.values import Side
from runner.venue.fapi.params import MAX_PARAMETERS, Params, from_form, from_json
from runner.venue.refusals import Refusal


def code(refused: pytest.ExceptionInfo[Refusal]) -> int:
    return refused.value.code


def test_query_and_body_are_read_together_and_the_query_counts() -> None:
    params = from_form("symbol=BTCUSDT&side=BUY", "side=SELL&quantity=1")
    assert params.values == {"symbol": "BTCUSDT", "side": "BUY", "quantity": "1"}


def test_percent_encoding_and_plus_signs_are_undone() -> None:
    assert from_form("", "list=%5B1%2C2%5D&text=a+b").values == {"list": "[1,2]", "text": "a b"}


@pytest.mark.parametrize(("query", "body"), [("a=1&a=2", ""), ("", "a=1&a=1"), ("b=1", "a=1&a=1")])
def test_a_name_twice_in_one_place_is_refused(query: str, body: str) -> None:
    with pytest.raises(Refusal) as refused:
        from_form(query, body)
    assert code(refused) == -1101


def test_too_many_parameters_are_refused() -> None:
    from_form("&".join(f"p{number}=1" for number in range(MAX_PARAMETERS)), "")
    with pytest.raises(Refusal) as refused:
        from_form("&".join(f"p{number}=1" for number in range(MAX_PARAMETERS + 1)), "")
    assert code(refused) == -1101


@pytest.mark.parametrize("text", ["1E-5", "NaN", "Infinity", "1,5", "１", "0x10", ".5", "5.", "1" * 21, "1_0", " 1"])
def test_a_decimal_is_plain_digits(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        Params({"quantity": text}).decimal("quantity")
    assert code(refused) == -1100


def test_a_decimal_keeps_its_digits_and_its_sign() -> None:
    assert str(Params({"q": "0.0100"}).decimal("q")) == "0.0100"
    assert Params({"q": "-3"}).decimal("q") == Decimal(-3)


@pytest.mark.parametrize("values", [{}, {"timestamp": ""}, {"timestamp": "soon"}, {"timestamp": "1.5"}])
def test_a_needed_integer_is_refused_as_missing(values: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        Params(values).integer("timestamp")
    assert code(refused) == -1102


@pytest.mark.parametrize(("text", "wanted"), [("", -1105), ("x", -1100), ("9" * 19, -1130)])
def test_an_integer_that_may_be_left_out_must_be_one_if_sent(text: str, wanted: int) -> None:
    with pytest.raises(Refusal) as refused:
        Params({"orderId": text}).maybe_integer("orderId")
    assert code(refused) == wanted
    assert Params({}).maybe_integer("orderId") is None


@pytest.mark.parametrize(("text", "value"), [("true", True), ("FALSE", False), ("True", True)])
def test_truth_values_are_read_in_any_case(text: str, value: bool) -> None:
    assert Params({"reduceOnly": text}).flag("reduceOnly") is value


def test_what_is_no_truth_value_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        Params({"reduceOnly": "1"}).flag("reduceOnly")
    assert code(refused) == -1130


@pytest.mark.parametrize(("text", "wanted"), [("0", -1130), ("1001", -1130), ("-1", -1130), ("ten", -1100)])
def test_a_limit_is_held_to_its_bounds(text: str, wanted: int) -> None:
    with pytest.raises(Refusal) as refused:
        Params({"limit": text}).limit(500, 1000)
    assert code(refused) == wanted


def test_words_are_of_their_set() -> None:
    assert Params({"side": "BUY"}).word("side", Side) is Side.BUY
    with pytest.raises(Refusal) as refused:
        Params({"side": "buy"}).word("side", Side)
    assert code(refused) == -1130


@pytest.mark.parametrize("symbol", ["BTC USDT", "BTCUSDT;", "B" * 21, "ΒTC"])
def test_a_symbol_has_legal_characters(symbol: str) -> None:
    with pytest.raises(Refusal) as refused:
        Params({"symbol": symbol}).symbol()
    assert code(refused) == -1100


@pytest.mark.parametrize("text", ["{}", "[1", "1", '"a"', "[" * 100_000])
def test_an_array_is_json(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        Params({"batchOrders": text}).rows("batchOrders")
    assert code(refused) == -1102


def test_a_json_object_becomes_texts() -> None:
    row = {"symbol": "BTCUSDT", "quantity": 1, "price": 0.5, "reduceOnly": True, "positionSide": None, "x": {"y": 1}}
    assert from_json(row).values == {
        "symbol": "BTCUSDT", "quantity": "1", "price": "0.5", "reduceOnly": "true", "x": '{"y":1}',
    }


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_read_or_refused(query: str, body: str) -> None:
    try:
        params = from_form(query, body)
    except Refusal:
        return
    for name in params.values:
        for read in (params.decimal, params.integer, params.flag, params.rows):
            try:
                read(name)
            except Refusal as refusal:
                assert refusal.code < 0
