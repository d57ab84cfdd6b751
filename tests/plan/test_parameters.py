from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.conditions import AtCondition, DelayCondition
from runner.domain.sizes import EquityShare, Quantity
from runner.domain.values import Side
from runner.plan.model import DataMarket, EntryBody, TwapBody
from runner.plan.parameters import TYPES, convert
from tests.plan.plans import WAIT, body_faults, load

PARAMS = """\
params:
  qty: {type: decimal, default: 0.004, min: 0.001, max: 1}
  n: {type: integer, default: 3}
  sym: {type: symbol, default: ETHUSDT, choices: [BTCUSDT, ETHUSDT]}
  way: {type: side, default: BUY}
  hold: {type: duration, default: 90m, max: 2h}
  share: {type: percentage, default: 10%, min: 1%}
  begin: {type: time, default: "2026-11-24T10:00:00+02:00"}
  folder: {type: string, default: data}
dryrun: {market: {data: "${folder}/${sym}-1m.csv"}}
"""
STEPS = """\
steps:
  - {id: a, symbol: "${sym}", entry: {side: "${way}", type: MARKET, quantity: "${qty}"}, timeout: "${hold}"}
  - {id: b, symbol: "${sym}", twap: {side: SELL, equity: "${share}", slices: "${n}", every: "${n}s"}}
  - {id: c, wait: {}, when: {at: "${begin}"}}
"""


def test_a_whole_scalar_takes_the_type_of_its_parameter() -> None:
    plan = load(PARAMS + STEPS)
    entry, twap, wait = plan.steps
    assert isinstance(entry.body, EntryBody)
    assert (entry.symbol, entry.body.side, entry.body.size) == ("ETHUSDT", Side.BUY, Quantity(Decimal("0.004")))
    assert entry.timeout_ms == 5_400_000
    assert isinstance(twap.body, TwapBody)
    assert (twap.body.size, twap.body.slices) == (EquityShare(Decimal("0.1")), 3)
    assert wait.when == AtCondition(1_795_507_200_000)


def test_inside_a_longer_text_a_parameter_is_its_text() -> None:
    plan = load(PARAMS + STEPS)
    assert plan.dryrun.market == {"": DataMarket(("data/ETHUSDT-1m.csv",))}
    assert isinstance(plan.steps[1].body, TwapBody)
    assert plan.steps[1].body.every_ms == 3_000


def test_set_overrides_the_default_of_every_type() -> None:
    plan = load(
        PARAMS + STEPS,
        qty="0.5",
        n="4",
        sym="BTCUSDT",
        way="SELL",
        hold="1h30m",
        share="2.5%",
        begin="2026-11-24T08:00:00Z",
        folder="other",
    )
    assert plan.params == {
        "qty": Decimal("0.5"),
        "n": 4,
        "sym": "BTCUSDT",
        "way": "SELL",
        "hold": "1h30m",
        "share": "2.5%",
        "begin": "2026-11-24T08:00:00.000Z",
        "folder": "other",
    }


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("qty", "much", "'much' is not a number"),
        ("qty", "1e3", "not a number"),
        ("qty", "0.0001", "below the min 0.001"),
        ("qty", "2", "above the max 1"),
        ("n", "2.5", "not a whole number"),
        ("sym", "SOLUSDT", "not BTCUSDT or ETHUSDT"),
        ("sym", "eth", "not a symbol"),
        ("way", "LONG", "not BUY or SELL"),
        ("hold", "3h", "above the max '2h'"),
        ("hold", "long", "not a duration"),
        ("share", "10", "not a percentage"),
        ("share", "0.5%", "below the min '1%'"),
        ("share", "-5%", "below 0%"),
        ("begin", "tomorrow", "not an RFC 3339 time"),
        ("folder", "x" * 1_001, "1,000 characters"),
        ("qty", "9" * 5_000, "is not a number"),
        ("folder", "${qty}", "made of another parameter"),
    ],
)
def test_a_set_value_that_does_not_fit_is_told_at_the_parameter(name: str, value: str, told: str) -> None:
    (found,) = body_faults(PARAMS + STEPS, **{name: value})
    assert found.code == "parameter-value"
    assert found.message.startswith(f"--set {name}=")
    assert told in found.message
    assert found.line_text.strip().startswith(name)


def test_set_of_an_unknown_name_says_which_are_known() -> None:
    (found,) = body_faults(PARAMS + STEPS, qyt="1")
    assert (found.code, found.hint) == ("unknown-parameter", "did you mean 'qty'?")
    (found,) = body_faults(PARAMS + STEPS, zzzzzz="1")
    assert found.hint.startswith("the parameters are qty, n")
    (found,) = body_faults(WAIT, stop="1")
    assert found.hint == "the plan has no `params`"


def test_a_parameter_without_a_default_must_be_set() -> None:
    body = "params: {hold: {type: duration}}\nsteps:\n  - {id: a, wait: {}, when: {delay: '${hold}'}}\n"
    assert load(body, hold="5m").steps[0].when == DelayCondition(300_000)
    (found,) = body_faults(body)
    assert (found.code, found.hint) == ("missing-parameter", "run with --set hold=…")


def test_a_text_with_very_many_parameters_is_refused() -> None:
    body = "params: {s: {type: string, default: x}}\ndescription: '" + "${s}" * 101 + "'\n" + WAIT
    assert [item.code for item in body_faults(body)] == ["parameter-use"]


def test_params_that_are_no_mapping_are_the_schemas_to_tell() -> None:
    assert [item.code for item in body_faults("params: [a]\n" + WAIT)] == ["type"]


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=10**12, places=9, allow_nan=False))
def test_a_decimal_given_by_set_is_exact(number: Decimal) -> None:
    text = format(number, "f")
    assert format(convert(text, "decimal"), "f") == text


@settings(deadline=None)
@given(st.sampled_from(TYPES), st.text())
def test_a_text_is_a_value_of_the_type_or_a_value_error(type_name: str, text: str) -> None:
    try:
        value = convert(text, type_name)
    except ValueError:
        return
    assert convert(value, type_name) == value
