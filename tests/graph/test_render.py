"""Graphs as people and tools read them."""

import json

import pytest

from runner.graph.fingerprint import fingerprint
from runner.graph.render import RENDERINGS
from tests.graph.plans import BRACKET, TWAP_AND_GUARD, graph

MORE = """\
  - id: rebuy
    after: long
    when: {price: {crosses_up: 59500}}
    timeout: 4h
    twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s, randomize: 10%}
  - id: pause
    after: {rebuy: failed, long.take_profit.2: filled}
    timeout: 1h
    wait: {}
    when:
      any:
        - {price: {above: 60000, source: MARK}, for: 3m}
        - all:
            - {at: 2026-11-24T08:00:00Z}
            - {delay: 5m}
            - {not: {position: {below: 0}}}
  - {id: stop, after: pause, cancel: {steps: [long, rebuy]}}
  - {id: out, after: stop, flatten: {}}
  - {id: all, after: out, flatten: {scope: account}}
"""
LIMITS = "version: 1\nname: x\ndefaults: {symbol: BTCUSDT}\nlimits: {max_daily_loss: 50, max_order_notional: 10000}\n"


def test_text_tells_each_step_with_its_waits_legs_and_prices() -> None:
    found = graph(BRACKET + MORE, LIMITS)
    assert RENDERINGS["text"](found) == f"""\
x: 6 steps, 23 nodes, fingerprint {fingerprint(found)[:12]}

long  bracket BTCUSDT BUY 0.004 BTC
  starts         with the run
  entry          LIMIT BUY 0.004 BTC @ 60000
  stop_loss      STOP_MARKET SELL all that is open, trigger 59000, from the
                   first fill of long.entry on
  take_profit.1  TAKE_PROFIT SELL 50% of what is filled @ 61000, from the first
                   fill of long.entry on
  take_profit.2  TAKE_PROFIT SELL 50% of what is filled @ 62000, from the first
                   fill of long.entry on

rebuy  twap BTCUSDT BUY 0.01 BTC
  starts      once long has succeeded, when BTCUSDT price crosses up 59500
  timeout     4h, then what can open is cancelled
  slice.1     MARKET BUY slice 1 of 3
  slice.2     MARKET BUY slice 2 of 3, after 2s
  slice.3     MARKET BUY slice 3 of 3, after 4s
  on failure  continue

pause  wait
  starts      once rebuy has failed and long.take_profit.2 is filled
  timeout     1h, then it fails
  waits       until (BTCUSDT mark price above 60000 for 3m or (from
                2026-11-24T08:00:00.000Z on and 5m have passed and not position
                in BTCUSDT below 0))

stop  cancel
  starts      once pause has succeeded
  cancels     what can open of long, rebuy

out  flatten BTCUSDT
  starts      once stop has succeeded
  closes      what the plan opened on BTCUSDT

all  flatten BTCUSDT
  starts      once out has succeeded
  closes      the whole position in BTCUSDT

limits  max_order_notional 10000, max_daily_loss 50
"""


@pytest.mark.parametrize(("body", "line"), [
    ("exit: {side: SELL, quantity: 0.004, type: STOP, stop_price: 59000, limit_price: 58800}",
     "exit        STOP SELL 0.004 BTC @ 58800, trigger 59000"),
    ("exit: {side: SELL, quantity: {position: 50%}, type: LIMIT, distance: 150}",
     "exit        LIMIT SELL 50% of the position @ 150 above the mark"),
    ("entry: {side: BUY, equity: 10%, type: LIMIT, distance: 0.5%}",
     "entry       LIMIT BUY 10% of equity @ 0.5% below the mark"),
    ("entry: {side: SELL, notional: 600, type: TRAILING_STOP_MARKET, callback_rate: 1%, activation_price: 62000}",
     "entry       TRAILING_STOP_MARKET SELL 600 USDT worth, 1% behind the best price"),
    ("bracket: {side: BUY, risk: 1%, entry: {type: MARKET}, stop_loss: {distance: 150}}",
     "entry       MARKET BUY as much as risks 1% of equity"),
    ("twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s}", "slice.3     MARKET BUY 0.004 BTC, after 4s"),
])
def test_every_size_and_price_has_its_words(body: str, line: str) -> None:
    assert f"  {line}" in RENDERINGS["text"](graph(f"  - {{id: a, {body}}}\n"))


def test_what_matters_live_is_told_too() -> None:
    head = (
        "version: 1\nname: x\ndefaults: {symbol: BTCUSDT}\naccount: {leverage: 5, margin_type: ISOLATED}\n"
        "on_external_change: adopt\n"
    )
    text = RENDERINGS["text"](graph(
        "  - id: long\n    time_in_force: GTD\n    bracket:\n      side: BUY\n      quantity: 0.004\n"
        "      entry: {type: LIMIT, price: 60000, good_till: 2026-11-24T20:00:00Z}\n"
        "      stop_loss: {stop_price: 59000, close_position: true}\n"
        "  - {id: eth, symbol: ETHUSDT, existing_position: allow, entry: {side: BUY, quantity: 0.040, type: MARKET}}\n",
        head,
    ))
    assert "LIMIT BUY 0.004 BTC @ 60000, good till 2026-11-24T20:00:00.000Z\n" in text
    assert "STOP_MARKET SELL the whole position, trigger 59000" in text
    assert "  beside      a position of the same side that is not the run's\n" in text
    assert text.endswith(
        "\naccount  leverage 5, margin_type ISOLATED\nothers  what they change of the run is adopted\n"
    )


@pytest.mark.parametrize(("action", "words"), [
    ("keep", "1h, then its exits go on working"), ("close", "1h, then what is open is closed"),
])
def test_the_timeout_of_exits_says_what_becomes_of_them(action: str, words: str) -> None:
    text = RENDERINGS["text"](graph(
        f"  - {{id: a, timeout: 1h, on_timeout: {action}, exit: {{side: SELL, quantity: 0.004, type: MARKET}}}}\n"
    ))
    assert words in text


def test_a_guard_is_for_what_its_source_has_open() -> None:
    assert "guard  oco BTCUSDT SELL what rebuy has open\n" in RENDERINGS["text"](graph(TWAP_AND_GUARD))


def test_lines_of_text_are_no_longer_than_80_columns() -> None:
    assert max(map(len, RENDERINGS["text"](graph(BRACKET + MORE)).split("\n"))) <= 80


def test_mermaid_has_a_box_a_step_and_an_arrow_a_wait() -> None:
    text = RENDERINGS["mermaid"](graph(BRACKET + MORE))
    assert text.startswith('flowchart TD\n  subgraph s0["long"]\n    n0["start"]\n')
    assert '  n1 -->|"first_fill"| n2\n' in text
    assert '  n5 -->|"succeeded"| n6\n' in text
    assert '  n6 -->|"+2s"| n8\n' in text
    assert text.count("subgraph") == text.count("  end\n") == 6


def test_dot_escapes_what_it_must() -> None:
    head = 'version: 1\nname: "a \\"b\\" \\\\ c"\ndefaults: {symbol: BTCUSDT}\n'
    text = RENDERINGS["dot"](graph(BRACKET, head))
    assert text.startswith('digraph "a \\"b\\" \\\\ c" {\n')
    assert '    n2 [label="stop_loss: STOP_MARKET SELL all that is open, trigger 59000"];\n' in text
    assert '  n1 -> n2 [label="first_fill"];\n' in text
    assert text.endswith("  n4 -> n5;\n}\n")


def test_json_holds_the_whole_graph_and_its_fingerprint() -> None:
    found = graph(BRACKET)
    content = json.loads(RENDERINGS["json"](found))
    assert content["fingerprint"] == fingerprint(found)
    assert [node["node_id"] for node in content["graph"]["nodes"]] == [node.node_id for node in found.nodes]


@pytest.mark.parametrize("form", sorted(RENDERINGS))
def test_the_same_graph_is_always_drawn_the_same_way(form: str) -> None:
    assert RENDERINGS[form](graph(BRACKET + MORE)) == RENDERINGS[form](graph(BRACKET + MORE))
