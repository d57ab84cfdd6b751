"""Every code that a fault between a plan's steps, or against an instrument's rules, can have.

For `daksh-run explain CODE`, as `runner.plan.codes`.  Codes are kept for ever: tools filter by them.
"""

from runner.plan.codes import Code

GRAPH_CODES: dict[str, Code] = {
    # ---- names ------------------------------------------------------------------------------------------------------
    "unknown-step": Code(
        "A step that is not there",
        "`after`, `{filled: …}`, `of` and `steps` name other steps of the plan by their `id`.",
        "after: lnog",
        "after: long"),
    "unknown-leg": Code(
        "A leg that the step does not have",
        "A leg is one order of a step: `entry`, `exit`, `stop_loss`, `take_profit` (`take_profit.1` and so on where"
        " there is a list), `slice.1` and so on. `wait`, `cancel` and `flatten` have none.",
        "after: {long.take_profit.3: filled}   # long has two",
        "after: {long.take_profit.2: filled}"),
    "impossible-outcome": Code(
        "An outcome that cannot come",
        "Only steps with orders can be placed or filled, and a single leg does not fail: it is filled, cancelled,"
        " skipped or has `any` end.",
        "after: {pause: filled}   # pause is a wait",
        "after: pause"),
    "cycle": Code(
        "Steps that wait for each other",
        "Each step of a cycle waits, over the others, for itself, so none of them can ever start. The message shows"
        " the way round.",
        "- {id: a, after: b, …}\n- {id: b, after: a, …}",
        "- {id: a, …}\n- {id: b, after: a, …}"),
    "unreachable": Code(
        "A step that can never start",
        "All that it waits for would need one step to end in two different ways, say to have succeeded and to have"
        " failed.",
        "- {id: b, after: {a: failed}, …}\n- {id: c, after: [a, b], …}",
        "- {id: c, after: {a: succeeded, b: any}, …}"),
    "no-path": Code(
        "A source that is not waited for",
        "A step that exits from what another fills must wait for it, directly or over other steps; else it may start"
        " before there is anything to exit from, and do nothing.",
        "- id: guard\n  oco: {side: SELL, quantity: {filled: rebuy}, …}",
        "- id: guard\n  after: {rebuy: first_fill}\n  oco: {side: SELL, quantity: {filled: rebuy}, …}"),
    "nothing-opens": Code(
        "A step that opens nothing",
        "`{filled: …}` and `of` speak of what a step opens, and `cancel` cancels what can still open: `entry`,"
        " `bracket`, or a `twap` that does not reduce.",
        "quantity: {filled: guard}   # guard is an oco",
        "quantity: {filled: rebuy}"),
    "other-symbol": Code(
        "Exits on another symbol",
        "A step that exits from another must trade the same symbol.",
        "- {id: long, symbol: BTCUSDT, entry: …}\n- {id: out, symbol: ETHUSDT, exit: {quantity: {filled: long}, …}}",
        "- {id: out, symbol: BTCUSDT, exit: {quantity: {filled: long}, …}}"),
    "exit-side": Code(
        "Exits on the side of the entry",
        "What was opened by BUY is closed by SELL, and the other way round.",
        "entry: {side: BUY, …}\nexit: {side: BUY, quantity: {filled: long}, …}",
        "exit: {side: SELL, quantity: {filled: long}, …}"),
    "filled-opens": Code(
        "An opening order sized by a fill",
        "`{filled: step}` sizes what exits from that step, never what opens.",
        "entry: {side: BUY, quantity: {filled: long}, …}",
        "entry: {side: BUY, quantity: 0.004, …}"),
    "two-sources": Code(
        "Two steps to exit from",
        "`of` and `{filled: …}` of one `twap` must name the same step.",
        "twap: {of: a, quantity: {filled: b}, …}",
        "twap: {of: a, quantity: {filled: a}, …}"),
    # ---- what meets -------------------------------------------------------------------------------------------------
    "opposite-openers": Code(
        "Openers of opposite sides at once",
        "An account in one-way mode has one position a symbol, so a BUY and a SELL that open at the same time would"
        " close each other. One must wait, along `after`, for the end of the other.",
        "- {id: long, entry: {side: BUY, …}}\n- {id: short, entry: {side: SELL, …}}",
        "- {id: long, entry: {side: BUY, …}}\n- {id: short, after: {long: any}, entry: {side: SELL, …}}"),
    "second-exits": Code(
        "A second stop for the same position",
        "What a step opens has one stop and one set of take-profits at a time: a bracket its own, an `entry` or"
        " `twap` those of one OCO. A second one would sell the same quantity twice.",
        "- {id: long, bracket: …}\n- {id: guard, oco: {quantity: {filled: long}, …}}",
        "- {id: long, bracket: …}"),
    "shared-position": Code(
        "A stop of a position that is not the step's alone",
        "With `close_position: true` the exchange closes the whole position of the symbol, whoever opened it. So it is"
        " for a step beside which nothing holds a position on the symbol: no other step of the plan, unless one is a"
        " bracket and the other waits for its end, and nothing that `existing_position: allow` lets be.",
        "- {id: a, bracket: {…, stop_loss: {stop_price: 59000, close_position: true}}}\n- {id: b, bracket: {…}}",
        "- {id: a, bracket: {…, stop_loss: {stop_price: 59000, close_position: true}}}\n- {id: b, after: {a: any},"
        " bracket: {…}}"),
    "unprotected": Code(
        "An opener without a stop (a warning; live, an error)",
        "The step may open a position that nothing protects. A `bracket` has its stop; an `entry` or `twap` is"
        " protected by an `oco` of `{filled: it}` that waits for its `first_fill`, and for nothing else. A live run"
        " refuses the step unless it says `unprotected: allow`.",
        "- {id: long, entry: {side: BUY, …}}",
        "- {id: long, entry: {side: BUY, …}}\n- id: guard\n  after: {long: first_fill}\n  oco: {quantity: {filled:"
        " long}, …}"),
    # ---- instruments ------------------------------------------------------------------------------------------------
    "unknown-symbol": Code(
        "A symbol that is not known",
        "The package ships the rules of a few symbols. For all others, save the body of `GET /fapi/v1/exchangeInfo`"
        " and give it by `--instruments FILE`.",
        "symbol: BTCUSD",
        "symbol: BTCUSDT"),
    "not-trading": Code(
        "A symbol that does not trade",
        "The exchange takes orders only for symbols with the status TRADING.",
        "symbol: OLDUSDT   # SETTLING",
        "symbol: BTCUSDT"),
    "price-tick": Code(
        "A price off the tick",
        "The exchange takes only multiples of the symbol's tick. Explicit prices are never rounded for you.",
        "price: 60000.05   # the tick is 0.1",
        "price: 60000.1"),
    "price-range": Code(
        "A price beyond the exchange's bounds",
        "Each symbol has a lowest and a highest price; distances from an entry must lead to a price between them.",
        "price: 5   # BTCUSDT begins at 556.8",
        "price: 60000"),
    "quantity-step": Code(
        "A quantity off the step size",
        "The exchange takes only multiples of the symbol's step. Explicit quantities are never rounded for you;"
        " computed ones are rounded down.",
        "quantity: 0.0015   # the step is 0.001",
        "quantity: 0.001"),
    "quantity-range": Code(
        "A quantity beyond the exchange's bounds",
        "Each symbol has a least and a largest quantity, and a smaller largest one for market orders (which a stop"
        " without a limit is, once triggered).",
        "quantity: 500   # a market order of BTCUSDT is at most 120",
        "quantity: 100"),
    "min-notional": Code(
        "An opening order that is worth too little",
        "Quantity times price must reach the symbol's least notional. Exits are exempt. The worth of a market order"
        " is known only when it is sent.",
        "quantity: 0.001\nprice: 40000   # 40, and BTCUSDT needs 50",
        "quantity: 0.002\nprice: 40000"),
    # ---- prices and parts -------------------------------------------------------------------------------------------
    "wrong-side": Code(
        "A price on the wrong side",
        "A long has its stop below and its take-profits above the entry; a short the other way round. By one tick at"
        " least.",
        "side: BUY\nentry: {type: LIMIT, price: 60000}\nstop_loss: {stop_price: 61000}",
        "stop_loss: {stop_price: 59000}"),
    "limit-cannot-fill": Code(
        "A stop whose limit cannot fill",
        "A stop that sells is triggered while the price falls, so its limit must be at or below the trigger; one"
        " that buys, at or above.",
        "stop_loss: {stop_price: 59000, limit_price: 59200}",
        "stop_loss: {stop_price: 59000, limit_price: 58800}"),
    "distance-without-entry": Code(
        "A distance without an entry",
        "The distances of exits count from an entry's price. An OCO of an explicit size, or of the position, has no"
        " entry.",
        "oco: {side: SELL, quantity: 0.004, stop_loss: {distance: 2%}, …}",
        "oco: {side: SELL, quantity: 0.004, stop_loss: {stop_price: 59000}, …}"),
    "portion-too-small": Code(
        "A take-profit below the least quantity",
        "Even with everything filled, this part of the whole would be less than the exchange takes.",
        "quantity: 0.001\ntake_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]",
        "quantity: 0.002"),
    "twap-slices": Code(
        "Slices that are too small",
        "Each slice is an order of its own: it must reach the least quantity, and in an opening TWAP the least"
        " notional, also where `randomize` makes it smallest. The hint names the largest number of slices that works.",
        "twap: {quantity: 0.009, slices: 10, every: 2s, …}",
        "twap: {quantity: 0.009, slices: 9, every: 2s, …}"),
    "over-order-limit": Code(
        "An order above the plan's own limit",
        "`max_order_notional` would deny this order in every run.",
        "limits: {max_order_notional: 100}\nentry: {quantity: 0.004, type: LIMIT, price: 60000, …}",
        "limits: {max_order_notional: 300}"),
    "over-position-limit": Code(
        "A position above the plan's own limit",
        "`max_position_notional` would deny this in every run: by itself, or together with the steps on the same"
        " symbol and side that also start with the run.",
        "limits: {max_position_notional: 100}\nentry: {quantity: 0.004, type: LIMIT, price: 60000, …}",
        "limits: {max_position_notional: 300}"),
}
