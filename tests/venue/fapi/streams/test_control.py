import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.venue.fapi.streams.control import Malformed, Method, Request, answer, read


def error(text: str) -> dict[str, object]:
    with pytest.raises(Malformed) as caught:
        read(text)
    return caught.value.body


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ('{"method":"SUBSCRIBE","params":["a@b","c@d"],"id":1}', Request(Method.SUBSCRIBE, 1, ("a@b", "c@d"))),
        ('{"method":"UNSUBSCRIBE","params":["a@b"],"id":"x"}', Request(Method.UNSUBSCRIBE, "x", ("a@b",))),
        ('{"method":"LIST_SUBSCRIPTIONS","id":3}', Request(Method.LIST_SUBSCRIPTIONS, 3)),
        ('{"method":"LIST_SUBSCRIPTIONS","params":[],"id":3}', Request(Method.LIST_SUBSCRIPTIONS, 3)),
        ('{"method":"SET_PROPERTY","params":["combined",true],"id":5}', Request(Method.SET_PROPERTY, 5, combined=True)),
        ('{"method":"GET_PROPERTY","params":["combined"],"id":2}', Request(Method.GET_PROPERTY, 2)),
    ],
)
def test_a_well_formed_request_is_read(text: str, request_: Request) -> None:
    assert read(text) == request_


@pytest.mark.parametrize("id", ["-1", "1.5", "true", "null", "[]", "{}", "18446744073709551616"])
def test_an_id_that_is_none_gets_an_error_without_an_id(id: str) -> None:
    told = {"error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}}
    assert error(f'{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}') == told
    assert error('{"method":"LIST_SUBSCRIPTIONS"}') == told


def test_a_missing_or_unknown_method_is_named() -> None:
    assert error('{"params":[],"id":7}') == {
        "error": {"code": 2, "msg": "Invalid request: missing field `method` at line 1 column 20"}, "id": 7,
    }
    body = error('{"method":"LISTEN","id":7}')
    assert body["id"] == 7
    assert "unknown variant `LISTEN`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`" in str(body["error"])


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('{"method":"SET_PROPERTY","params":["combined",1],"id":1}', 1, "Invalid value type: expected Boolean"),
        ('{"method":"SET_PROPERTY","params":["combined"],"id":1}', 1, "Invalid value type: expected Boolean"),
        ('{"method":"SET_PROPERTY","params":["other",true],"id":1}', 0, "Unknown property"),
        ('{"method":"GET_PROPERTY","params":[],"id":1}', 2, "Invalid request: property name must be a string"),
        ('{"method":"GET_PROPERTY","params":["combined",1],"id":1}', 2, "Invalid request: too many parameters"),
        ('{"method":"LIST_SUBSCRIPTIONS","params":["a"],"id":1}', 2, "Invalid request: too many parameters"),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2, "Invalid request: stream name must be a string"),
        ('{"method":"SUBSCRIBE","params":"a","id":1}', 2, "Invalid request: params must be an array"),
    ],
)
def test_wrong_parameters_get_the_documented_errors(text: str, code: int, message: str) -> None:
    assert error(text) == {"error": {"code": code, "msg": message}, "id": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "Invalid JSON: expected value at line 1 column 1"),
        ("", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
        ('{"method":', "Invalid JSON: EOF while parsing a value at line 1 column 10"),
        ("[" * 100_000, "Invalid JSON: recursion limit exceeded at line 1 column 128"),
    ],
)
def test_broken_json_gets_code_3_and_ends_the_socket(text: str, message: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(text)
    assert caught.value.body == {"error": {"code": 3, "msg": message}} and caught.value.fatal


@pytest.mark.parametrize("text", ["[]", "1", '"SUBSCRIBE"', "null", "NaN"])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    assert error(text)["error"]


def test_an_answer_repeats_the_id_as_it_came() -> None:
    assert answer("a", None) == {"result": None, "id": "a"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["id", "method", "params", "more"]), ANYTHING | st.sampled_from([*Method])))
def test_any_json_is_a_request_or_gets_an_error(row: dict[str, object]) -> None:
    try:
        request = read(json.dumps(row))
    except Malformed as malformed:
        assert malformed.code in (0, 1, 2) and not malformed.fatal
    else:
        assert request.id == row["id"]


@given(st.text(max_size=60))
def test_any_text_is_a_request_or_gets_an_error(text: str) -> None:
    with pytest.raises(Malformed):
        read(text)
