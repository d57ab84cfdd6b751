"""Every code that a fault of a plan's text, shape or values can have, for `daksh-run explain CODE`.

Codes are kept for ever: tools filter by them.  The graph's own are in `runner.graph.codes`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means: a title, an explanation, an example that has the fault, and the same without it."""

    title: str
    explanation: str
    example: str
    fix: str


PLAN_CODES: dict[str, Code] = {
    # ---- the text -----------------------------------------------------------------------------------------------
    "alias": Code(
        "An alias (*name)",
        "A plan has no anchors and aliases: what a step does should be readable where the step stands. Values that"
        " several steps share belong into `defaults` or `params`.",
        "steps:\n  - {id: a, entry: &shared {side: BUY}}\n  - {id: b, entry: *shared}",
        "defaults: {symbol: BTCUSDT}\nparams:\n  qty: {type: decimal, default: 0.004}"),
    "ambiguous": Code(
        "A value that two versions of YAML read differently",
        "`on`, `010`, `0x1F`, `1_000`, `10:30`, `1e3`, `2024-01-01` and `.inf` without quotes mean one thing in"
        " YAML 1.1"
        " and another in YAML 1.2, so your editor might show something else than the runner trades. Where anything but"
        " a text is expected, the runner stops.",
        "price: 60_000", "price: 60000"),
    "anchor": Code(
        "An anchor (&name)",
        "A plan has no anchors and aliases: what a step does should be readable where the step stands. Values that"
        " several steps share belong into `defaults` or `params`.",
        "entry: &shared {side: BUY}", "defaults: {symbol: BTCUSDT}"),
    "binary": Code(
        "Not a text file",
        "The file holds control characters, as binary and damaged files do.",
        "a plan with a NUL byte", "a text in UTF-8"),
    "documents": Code(
        "Several documents in one file",
        "A file holds one plan; a line `---` begins another document.",
        "version: 1\n---\nversion: 1", "one file for each plan"),
    "duplicate-key": Code(
        "A key that is there twice",
        "Most YAML readers let the last one win, silently. The runner does not guess which one you meant.",
        "price: 60000\nprice: 61000", "price: 61000"),
    "empty": Code(
        "An empty plan", "The file holds nothing, or only comments.", "# nothing",
        "version: 1\nname: first\nsteps: [...]"),
    "key-type": Code(
        "A key that is not a text",
        "Keys are texts. A number, `true` or `null` as a key, or a list, is read as something else.",
        "params:\n  1: {type: decimal}", "params:\n  first: {type: decimal}"),
    "merge-key": Code(
        "A merge key (<<)",
        "A plan has no merge keys: what a step does should be readable where the step stands. What all steps share"
        " belongs into `defaults`.",
        "entry: {<<: {side: BUY}}", "entry: {side: BUY}"),
    "not-a-mapping": Code(
        "A plan that is no mapping",
        "The top level of a plan is a mapping with `version`, `name` and `steps`.",
        "- id: long", "version: 1\nname: first\nsteps:\n  - id: long"),
    "not-utf8": Code(
        "Not UTF-8", "Plans are texts in UTF-8.", "a file saved as UTF-16 or Latin-1", "the same file saved as UTF-8"),
    "number-size": Code(
        "A number too long to be meant",
        "Numbers are exact and have at most 40 digits, and an exponent of at most 40.",
        "price: 60000.00000000000000000000000000000000000000000001", "price: 60000"),
    "syntax": Code(
        "Not YAML",
        "The text breaks off, or its indentation or quotes do not fit together. The place is where the reader noticed;"
        " the cause is often one line above.",
        "entry: {side: BUY", "entry: {side: BUY}"),
    "tag": Code(
        "A tag (!name)", "Tags would let a file choose how it is read; a plan's own keys say what each value is.",
        "price: !!float 60000", "price: 60000"),
    "too-deep": Code(
        "Too many levels", "A plan is at most 64 levels deep; no sensible plan comes near.", "[[[[…]]]]",
        "fewer levels"),
    "too-large": Code(
        "Too large", "A plan has at most 8 MiB and 400,000 values, and a mapping in it at most 1,000 keys.",
        "a plan of 9 MiB",
        "two plans, or market data in files"),
    "too-many-faults": Code(
        "Too many faults", "The check stops after 1,000 faults; mend those, and run it again.",
        "a file of another kind",
        "a plan"),
    "too-many-steps": Code(
        "Too many steps", "A plan has at most 20,000 steps, and no list in it is longer.", "20,001 steps", "two plans"),
    # ---- the shape ----------------------------------------------------------------------------------------------
    "duration": Code(
        "Not a duration",
        "Durations are number-unit pairs, the largest unit first: d, h, m, s, ms; at most ten years.",
        "timeout: 90", "timeout: 90s"),
    "empty-list": Code(
        "An empty list or mapping", "Something is expected here, and there is nothing in it.", "steps: []",
        "steps:\n  - {id: long, …}"),
    "enum": Code(
        "Not one of the words allowed here",
        "The key takes one of a few words, in exactly this spelling; Binance's own are in capitals.",
        "side: buy", "side: BUY"),
    "integer": Code("Not a whole number", "The key takes a whole number.", "slices: 2.5", "slices: 3"),
    "missing-key": Code(
        "A key is missing", "The mapping needs this key.", "entry: {type: MARKET, quantity: 0.004}",
        "entry: {side: BUY, type: MARKET, quantity: 0.004}"),
    "number": Code(
        "Not a number", "Numbers are decimals without a sign, unit or thousands separator, quoted or not.",
        "price: 60,000", "price: 60000"),
    "percentage": Code(
        "Not a percentage", "Percentages have a percent sign, so that 0.5 is never taken for 50%.", "portion: 0.5",
        "portion: 50%"),
    "distance": Code(
        "Not a distance",
        "A distance is unsigned: a percentage (`2%`), quote units per base unit (`150`), or, of a take-profit only,"
        " multiples of R (`2R`), the distance from entry to stop.",
        "stop_loss: {distance: 2R}", "stop_loss: {distance: 2%}"),
    "range": Code(
        "Out of range", "The value is of the right kind, and too small or too large.", "quantity: 0",
        "quantity: 0.004"),
    "step-id": Code(
        "Not a step's id, or a leg of one",
        "Ids are lower-case letters, digits, `_` and `-`, and begin with a letter. Legs are `long.entry`,"
        " `long.exit`, `long.stop_loss`, `long.take_profit`, `long.take_profit.2` and `rebuy.slice.3`.",
        "id: Long", "id: long"),
    "symbol": Code(
        "Not a symbol", "Symbols are in capitals, as Binance writes them.", "symbol: btcusdt", "symbol: BTCUSDT"),
    "time": Code(
        "Not a time", "Times are RFC 3339 with an offset; a time without one would depend on where it is read.",
        "at: 2026-11-24 08:00", "at: 2026-11-24T08:00:00Z"),
    "type": Code(
        "The wrong type of value", "A text, number, list or mapping stands where another is expected. A text that looks"
        " like a number needs quotes.", "name: 2025", 'name: "2025"'),
    "unknown-key": Code(
        "An unknown key",
        "The language has no such key here. It is an error and not ignored, since a misspelt `stop_loss` that is"
        " ignored is a position without a stop.",
        "take_proft: {price: 61000}", "take_profit: {price: 61000}"),
    "version": Code("Another version of the language", "This runner reads version 1.", "version: 2", "version: 1"),
    # ---- the values ---------------------------------------------------------------------------------------------
    "close-position": Code(
        "A stop of the whole position that says more than its trigger",
        "With `close_position: true` the exchange closes the whole position at market once the `stop_price` is"
        " reached. It has no limit price, and its trigger must be known when it is sent, since the exchange takes only"
        " one such stop at a time.",
        "stop_loss: {stop_price: 59000, limit_price: 58800, close_position: true}",
        "stop_loss: {stop_price: 59000, close_position: true}"),
    "condition": Code(
        "A condition that says several things, or none",
        "A condition is one of price, at, delay, position, all, any and not; several are joined by `all` or `any`.",
        "when: {price: {above: 60000}, delay: 5m}", "when: {all: [{price: {above: 60000}}, {delay: 5m}]}"),
    "contradiction": Code(
        "Two settings that contradict each other",
        "A step that another waits for to fail (`after: {x: failed}` or `{x: any}`) has `on_failure: continue`; a TWAP"
        " with `of` is reduce-only.",
        "- {id: x, on_failure: stop, …}\n- {id: y, after: {x: failed}, …}",
        "- {id: x, …}\n- {id: y, after: {x: failed}, …}"),
    "duplicate-step": Code(
        "Two steps with one id", "Each step has an id of its own; others name it by that.", "- id: long\n- id: long",
        "- id: long\n- id: long-2"),
    "good-till": Code(
        "GTD without its date, or a date without GTD",
        "An order with `time_in_force: GTD` is cancelled by the exchange at its `good_till`, which counts whole seconds"
        " and lies more than 600 seconds after the order is sent. It is for LIMIT orders of an `entry` or a `bracket`;"
        " any other order is cancelled by the step's `timeout`.",
        "time_in_force: GTD\nentry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}",
        "time_in_force: GTD\nentry: {…, type: LIMIT, price: 60000, good_till: 2026-11-24T20:00:00Z}"),
    "market": Code(
        "A market with several sources, or none",
        "The market of the dry run is one of data, path and random, or a map of symbol to such a source; the points"
        " of a"
        " path follow each other in time.",
        "market: {data: a.csv, random: {seed: 1}}", "market: {data: a.csv}"),
    "missing-symbol": Code(
        "No symbol", "The step (or the condition) needs a symbol, and neither it nor `defaults` names one.",
        "- {id: long, entry: …}", "defaults: {symbol: BTCUSDT}"),
    "not-for-kind": Code(
        "A key that does nothing on this kind of step",
        "`on_timeout` is for oco and exit, `unprotected` for entry and twap, `time_in_force` for steps that open (exits"
        " are GTC), and so on. A setting without effect is an error, since somebody relies on it.",
        "- {id: long, bracket: …, on_timeout: close}", "- {id: long, bracket: …}"),
    "order-interval": Code(
        "No interval, or two", "A TWAP has exactly one of `every` (from slice to slice) and `over` (all of it).",
        "twap: {slices: 3, every: 2s, over: 6s}", "twap: {slices: 3, every: 2s}"),
    "order-price": Code(
        "A price that the order type needs, or does not have",
        "MARKET has none; LIMIT `price` or `distance`; STOP and TAKE_PROFIT `stop_price` and `limit_price`;"
        " STOP_MARKET and"
        " TAKE_PROFIT_MARKET `stop_price`; TRAILING_STOP_MARKET `callback_rate` and, if you like, `activation_price`.",
        "entry: {type: MARKET, price: 60000}", "entry: {type: LIMIT, price: 60000}"),
    "portions": Code(
        "Portions that are not the whole",
        "Each take-profit of a list has a portion, and together they are exactly 100%.",
        "take_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 40%}]",
        "take_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]"),
    "size": Code(
        "No size, or several",
        "A step has exactly one of `quantity` (base units), `notional` (quote units), `equity` (a percentage of equity)"
        " and, in a bracket, `risk` (a percentage of equity lost at the stop).",
        "entry: {side: BUY, type: MARKET, quantity: 0.004, notional: 250}",
        "entry: {side: BUY, type: MARKET, notional: 250}"),
    "step-kind": Code(
        "No kind, or several", "A step has exactly one of entry, exit, oco, bracket, twap, wait, cancel and flatten.",
        "- {id: long}", "- {id: long, entry: {side: BUY, type: MARKET, quantity: 0.004}}"),
    # ---- parameters ---------------------------------------------------------------------------------------------
    "missing-parameter": Code(
        "A parameter without a value", "It has no default, so it must be set.", "params:\n  qty: {type: decimal}",
        "daksh-run plan.yaml --set qty=0.004"),
    "parameter-definition": Code(
        "A parameter whose definition does not fit together",
        "`min` is not above `max`, only ordered types have them, and no parameter is made of another.",
        "qty: {type: decimal, default: 1, min: 2, max: 1}", "qty: {type: decimal, default: 1, min: 1, max: 2}"),
    "parameter-name": Code(
        "Not a parameter's name", "Names have letters, digits and `_`, and do not begin with a digit.",
        "params:\n  my-qty: {type: decimal}", "params:\n  my_qty: {type: decimal}"),
    "parameter-use": Code(
        "A ${ that does not end", "A parameter is used as `${name}`.", "price: ${stop", "price: ${stop}"),
    "parameter-value": Code(
        "A value that the parameter does not take",
        "The default, a choice or the value of `--set` is not of the parameter's type, or outside its choices, min"
        " or max.",
        "qty: {type: decimal, default: 0.0001, min: 0.001}", "qty: {type: decimal, default: 0.001, min: 0.001}"),
    "unknown-parameter": Code(
        "An unknown parameter", "`${name}` and `--set name=value` name parameters that stand under `params`.",
        "price: ${stpo}", "price: ${stop}"),
}
