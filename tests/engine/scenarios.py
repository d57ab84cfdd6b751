"""Plans for the adversary.  In each of them a protected quantity is protected from its first fill on."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple


class Scenario(NamedTuple):
    """`steps` in YAML from the first dash; `positions` what the run starts with, in base units."""

    name: str
    steps: str
    positions: Mapping[str, Decimal] = MappingProxyType({})


_HELD = MappingProxyType({"BTCUSDT": Decimal("0.010")})

SCENARIOS = (
    Scenario("market-bracket", """
  - id: long
    bracket:
      side: BUY
      quantity: 0.006
      entry: {type: MARKET}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""),
    Scenario("bracket-of-three", """
  - id: long
    bracket:
      side: BUY
      quantity: 0.009
      entry: {type: LIMIT, price: 60000}
      take_profit:
        - {price: 61000, portion: 40%, type: LIMIT}
        - {price: 61500, portion: 30%}
        - {price: 62000, portion: 30%, type: TAKE_PROFIT_MARKET}
      stop_loss: {stop_price: 59000, limit_price: 58800}
    timeout: 1m
"""),
    Scenario("stop-bracket-short", """
  - id: short
    on_immediate_trigger: MARKET
    bracket:
      side: SELL
      quantity: 0.005
      entry: {type: STOP_MARKET, stop_price: 59500}
      take_profit:
        - {price: 58500, portion: 50%}
        - {price: 58000, portion: 50%}
      stop_loss: {stop_price: 60500}
    timeout: 30s
"""),
    Scenario("bracket-by-distance", """
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: MARKET}
      take_profit:
        - {distance: 2R, portion: 50%}
        - {distance: 3R, portion: 50%, type: LIMIT}
      stop_loss: {distance: 1%}
"""),
    Scenario("bracket-without-target", """
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: STOP, stop_price: 60500, limit_price: 60600}
      stop_loss: {stop_price: 59000}
    timeout: 20s
"""),
    Scenario("twap-with-oco", """
  - id: buy
    twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s}
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, limit_price: 58800}
"""),
    Scenario("limit-twap-next", """
  - id: buy
    twap: {side: BUY, quantity: 0.010, slices: 4, every: 2s, type: LIMIT, price: 60000, randomize: 20%, finish: MARKET}
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000, type: LIMIT}
      stop_loss: {stop_price: 59000}
"""),
    Scenario("limit-twap-spread", """
  - id: buy
    timeout: 30s
    twap: {side: BUY, quantity: 0.011, slices: 4, every: 2s, type: LIMIT, price: 60000, catch_up: spread}
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000}
"""),
    Scenario("limit-twap-skip", """
  - id: buy
    twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s, type: LIMIT, distance: 5, catch_up: skip}
    unprotected: allow
  - id: out
    after: {buy: any}
    exit: {side: SELL, type: MARKET, quantity: {filled: buy}}
"""),
    Scenario("oco-on-a-position", """
  - id: guard
    timeout: 1m
    on_timeout: close
    oco:
      side: SELL
      quantity: 0.008
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, limit_price: 58800}
""", _HELD),
    Scenario("exits-on-a-position", """
  - id: near
    exit: {side: SELL, type: LIMIT, price: 61000, quantity: 0.006}
  - id: far
    exit: {side: SELL, type: STOP_MARKET, stop_price: 58000, quantity: {position: 100%}}
""", _HELD),
    Scenario("two-brackets", """
  - id: first
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
  - id: second
    bracket:
      side: BUY
      quantity: 0.006
      entry: {type: LIMIT, price: 59900}
      take_profit:
        - {price: 61000, portion: 50%}
        - {price: 62000, portion: 50%}
      stop_loss: {stop_price: 58500}
"""),
    Scenario("chain", """
  - id: first
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
    timeout: 30s
  - id: again
    after: {first: any}
    when: {delay: 5s}
    bracket:
      side: BUY
      quantity: 0.003
      entry: {type: MARKET}
      take_profit: {price: 61000, type: LIMIT}
      stop_loss: {stop_price: 59000}
  - id: dip
    after: first
    on_failure: flatten
    when: {price: {below: 59500}}
    entry: {side: BUY, type: LIMIT, price: 59400, quantity: 0.005}
    unprotected: allow
  - id: late
    after: {first: first_fill}
    when: {delay: 20s}
    cancel: {steps: [dip, first]}
  - id: flat
    after: {again: any, late: succeeded}
    flatten: {}
"""),
    Scenario("unwind-by-twap", """
  - id: long
    bracket:
      side: BUY
      quantity: 0.008
      entry: {type: LIMIT, price: 60000}
      stop_loss: {stop_price: 59000}
  - id: unwind
    after: {long: filled}
    twap: {side: SELL, quantity: 0.008, slices: 3, every: 2s, reduce_only: true, of: long}
"""),
    Scenario("fill-or-kill", """
  - id: long
    time_in_force: IOC
    protected_within: 500ms
    bracket:
      side: BUY
      quantity: 0.006
      entry: {type: LIMIT, price: 60000}
      take_profit: {distance: 2R, type: LIMIT}
      stop_loss: {stop_price: 59000, limit_price: 58900}
    trigger_timeout: 1s
"""),
    Scenario("two-protectors", """
  - id: buy
    entry: {side: BUY, type: LIMIT, price: 60000, quantity: 0.008}
    time_in_force: GTX
    timeout: 40s
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000}
  - id: target
    after: {buy: first_fill}
    exit: {side: SELL, type: TAKE_PROFIT, stop_price: 61000, limit_price: 61000, quantity: {filled: buy}}
"""),
    Scenario("trailing", """
  - id: buy
    entry: {side: BUY, type: MARKET, quantity: 0.008}
    unprotected: allow
  - id: trail
    after: {buy: first_fill}
    exit: {side: SELL, type: TRAILING_STOP_MARKET, callback_rate: 1%, quantity: {filled: buy}}
  - id: half
    after: buy
    when: {delay: 3s}
    exit: {side: SELL, type: LIMIT, price: 61500, quantity: {filled: buy}}
"""),
    Scenario("unwind-by-limits", """
  - id: long
    bracket:
      side: BUY
      quantity: 0.009
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 63000}
      stop_loss: {stop_price: 59000}
  - id: unwind
    after: {long: filled}
    twap:
      side: SELL
      quantity: 0.009
      slices: 3
      every: 2s
      type: LIMIT
      price: 60100
      reduce_only: true
      of: long
      finish: MARKET
"""),
    Scenario("whole-position-bracket", """
  - id: long
    bracket:
      side: BUY
      quantity: 0.009
      entry: {type: LIMIT, price: 60000}
      take_profit:
        - {price: 61000, portion: 50%}
        - {price: 62000, portion: 50%, type: LIMIT}
      stop_loss: {stop_price: 59000, close_position: true}
    timeout: 1m
  - id: again
    after: {long: any}
    on_failure: flatten
    bracket:
      side: SELL
      quantity: 0.004
      entry: {type: MARKET}
      stop_loss: {stop_price: 61000, close_position: true}
"""),
    Scenario("whole-position-guard", """
  - id: buy
    twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s}
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, close_position: true}
"""),
    Scenario("two-symbols-and-a-flatten", """
  - id: btc
    on_failure: flatten
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
  - id: eth
    symbol: ETHUSDT
    after: {btc: first_fill}
    bracket:
      side: SELL
      quantity: 0.040
      entry: {type: LIMIT, price: 3200}
      take_profit: {price: 3100}
      stop_loss: {stop_price: 3300}
  - id: all
    after: {btc: filled}
    when: {delay: 4s}
    flatten: {scope: account}
""", _HELD),
)
