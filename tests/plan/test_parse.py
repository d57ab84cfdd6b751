from decimal import Decimal

import pytest

from runner.domain.conditions import (
    AllOf,
    AnyOf,
    AtCondition,
    Condition,
    DelayCondition,
    HeldFor,
    Not,
    PositionCondition,
    PriceCondition,
    PriceSource,
    Relation,
)
from runner.domain.positions import Position
from runner.domain.sizes import (
    Distance,
    DistanceKind,
    EquityShare,
    FilledOf,
    Notional,
    PositionShare,
    Quantity,
    RiskShare,
    Size,
)
from runner.domain.values import OrderType, Side, TimeInForce, WorkingType
from runner.plan.load import load_plan
from runner.plan.model import (
    AccountSettings,
    BracketBody,
    CancelBody,
    CatchUp,
    DataMarket,
    DryRunSettings,
    EntryBody,
    ExistingPosition,
    ExitBody,
    Finish,
    FlattenBody,
    Limits,
    OnExternalChange,
    OnFailure,
    OnImmediateTrigger,
    OnTimeout,
    OrderFields,
    PathMarket,
    PathPoint,
    RandomMarket,
    Step,
    StopLoss,
    TakeProfit,
    TwapBody,
    WaitBody,
)
from tests.plan.plans import WAIT, load


def _step(text: str, head: str = "") -> Step:
    return load(f"{head}steps:\n  - {{id: a, {text}}}\n").steps[0]


def _condition(text: str) -> Condition:
    when = _step(f"wait: {{}}, when: {text}").when
    assert when is not None
    return when


def _size(text: str) -> Size:
    body = _step(f"bracket: {{side: BUY, entry: {{type: MARKET}}, stop_loss: {{distance: 1%}}, {text}}}").body
    assert isinstance(body, BracketBody)
    return body.size


def test_a_step_that_says_nothing_has_the_defaults_of_the_language() -> None:
    step = _step("entry: {side: BUY, type: MARKET, quantity: 1}")
    assert step == Step(
        "a",
        "entry",
        EntryBody(Side.BUY, Quantity(Decimal(1)), OrderFields(OrderType.MARKET)),
        "BTCUSDT",
        (),
        None,
        None,
        OnTimeout.KEEP,
        OnFailure.STOP,
        TimeInForce.GTC,
        WorkingType.CONTRACT_PRICE,
        2_000,
        3_000,
        OnImmediateTrigger.FAIL,
        False,
        ("steps", 0),
    )


def test_a_step_inherits_the_defaults_of_its_plan_unless_it_says_otherwise() -> None:
    plan = load(
        "steps:\n"
        "  - {id: a, entry: {side: BUY, type: MARKET, quantity: 1}}\n"
        "  - {id: b, entry: {side: BUY, type: MARKET, quantity: 1}, symbol: ETHUSDT, working_type: CONTRACT_PRICE,\n"
        "     time_in_force: IOC, protected_within: 500ms, trigger_timeout: 1s, on_immediate_trigger: FAIL}\n"
        "limits: {}\n".replace("limits: {}\n", "")
    )
    assert (plan.steps[1].symbol, plan.steps[1].protected_within_ms, plan.steps[1].trigger_timeout_ms) == (
        "ETHUSDT",
        500,
        1_000,
    )
    from runner.plan.load import load_plan

    text = (
        "version: 1\nname: x\ndefaults: {symbol: BTCUSDT, working_type: MARK_PRICE, time_in_force: GTX,\n"
        "  protected_within: 1s, trigger_timeout: 4s, on_immediate_trigger: MARKET}\nsteps:\n"
        "  - {id: a, entry: {side: BUY, type: MARKET, quantity: 1}}\n"
        "  - {id: b, time_in_force: FOK, entry: {side: BUY, type: MARKET, quantity: 1}}\n"
    )
    first, second = load_plan("x", text.encode()).steps
    assert (first.working_type, first.time_in_force, first.protected_within_ms, first.trigger_timeout_ms) == (
        WorkingType.MARK_PRICE,
        TimeInForce.GTX,
        1_000,
        4_000,
    )
    assert first.on_immediate_trigger is OnImmediateTrigger.MARKET
    assert (second.time_in_force, second.working_type) == (TimeInForce.FOK, WorkingType.MARK_PRICE)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("quantity: 0.004", Quantity(Decimal("0.004"))),
        ('quantity: "0.004"', Quantity(Decimal("0.004"))),
        ("quantity: {filled: b}", FilledOf("b")),
        ("quantity: {position: 50%}", PositionShare(Decimal("0.5"))),
        ("notional: 250", Notional(Decimal(250))),
        ("equity: 150%", EquityShare(Decimal("1.5"))),
        ("risk: 0.5%", RiskShare(Decimal("0.005"))),
    ],
)
def test_each_way_to_say_a_size(text: str, size: Size) -> None:
    assert _size(text) == size


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("type: MARKET", OrderFields(OrderType.MARKET)),
        ("type: LIMIT, price: 5", OrderFields(OrderType.LIMIT, price=Decimal(5))),
        (
            "type: LIMIT, distance: 0.5%",
            OrderFields(OrderType.LIMIT, price=Distance(DistanceKind.FRACTION, Decimal("0.005"))),
        ),
        (
            "type: STOP, stop_price: 5, limit_price: 4",
            OrderFields(OrderType.STOP, stop_price=Decimal(5), limit_price=Decimal(4)),
        ),
        ("type: STOP_MARKET, stop_price: 5", OrderFields(OrderType.STOP_MARKET, stop_price=Decimal(5))),
        (
            "type: TAKE_PROFIT, stop_price: 5, limit_price: 6",
            OrderFields(OrderType.TAKE_PROFIT, stop_price=Decimal(5), limit_price=Decimal(6)),
        ),
        (
            "type: TAKE_PROFIT_MARKET, stop_price: 5",
            OrderFields(OrderType.TAKE_PROFIT_MARKET, stop_price=Decimal(5)),
        ),
        (
            "type: TRAILING_STOP_MARKET, callback_rate: 1%, activation_price: 7",
            OrderFields(OrderType.TRAILING_STOP_MARKET, callback_rate=Decimal("0.01"), activation_price=Decimal(7)),
        ),
        (
            "type: TRAILING_STOP_MARKET, callback_rate: 20%",
            OrderFields(OrderType.TRAILING_STOP_MARKET, callback_rate=Decimal("0.2")),
        ),
    ],
)
def test_each_order_type_with_its_prices(text: str, order: OrderFields) -> None:
    body = _step(f"exit: {{side: SELL, quantity: 1, {text}}}").body
    assert body == ExitBody(Side.SELL, Quantity(Decimal(1)), order)


def test_a_bracket_with_no_take_profit_one_and_several() -> None:
    stop = "stop_loss: {distance: 2, limit_price: 12}"
    start = f"bracket: {{side: SELL, quantity: 1, entry: {{type: LIMIT, price: 9}}, {stop}"
    body = _step(f"{start}}}").body
    assert isinstance(body, BracketBody)
    assert body.take_profits == ()
    assert body.stop_loss == StopLoss(Distance(DistanceKind.ABSOLUTE, Decimal(2)), Decimal(12))
    body = _step(f"{start}, take_profit: {{distance: 2R}}}}").body
    assert isinstance(body, BracketBody)
    assert body.take_profits == (
        TakeProfit(OrderType.TAKE_PROFIT, Distance(DistanceKind.RISK, Decimal(2)), Decimal(1)),
    )
    legs = "[{price: 8, portion: 33.3%, type: LIMIT}, {price: 7, portion: 66.7%, type: TAKE_PROFIT_MARKET}]"
    body = _step(f"{start}, take_profit: {legs}}}").body
    assert isinstance(body, BracketBody)
    assert body.take_profits == (
        TakeProfit(OrderType.LIMIT, Decimal(8), Decimal("0.333")),
        TakeProfit(OrderType.TAKE_PROFIT_MARKET, Decimal(7), Decimal("0.667")),
    )


def test_a_list_of_one_take_profit_needs_no_portion() -> None:
    body = _step(
        "bracket: {side: BUY, quantity: 1, entry: {type: MARKET}, stop_loss: {distance: 1%}, take_profit: [{price: 9}]}"
    ).body
    assert isinstance(body, BracketBody)
    assert body.take_profits == (TakeProfit(OrderType.TAKE_PROFIT, Decimal(9), Decimal(1)),)


def test_a_twap_with_its_defaults_and_with_everything() -> None:
    body = _step("twap: {side: BUY, quantity: 1, slices: 3, every: 2s}").body
    assert body == TwapBody(
        Side.BUY,
        Quantity(Decimal(1)),
        3,
        2_000,
        OrderFields(OrderType.MARKET),
        Decimal(0),
        CatchUp.NEXT,
        Finish.LEAVE,
        False,
        None,
    )
    body = _step(
        "twap: {side: SELL, notional: 9, slices: 7, over: 1m, type: LIMIT, distance: 1, randomize: 20%,"
        " catch_up: spread,"
        " finish: MARKET, of: b}"
    ).body
    assert body == TwapBody(
        Side.SELL,
        Notional(Decimal(9)),
        7,
        8_571,
        OrderFields(OrderType.LIMIT, price=Distance(DistanceKind.ABSOLUTE, Decimal(1))),
        Decimal("0.2"),
        CatchUp.SPREAD,
        Finish.MARKET,
        True,
        "b",
    )


def test_a_twap_that_is_reduce_only_without_naming_an_opener() -> None:
    body = _step("twap: {side: SELL, quantity: 1, slices: 3, every: 2s, reduce_only: true}").body
    assert isinstance(body, TwapBody)
    assert (body.reduce_only, body.of) == (True, None)


@pytest.mark.parametrize("nothing", ["{}", "", "null", "~"])
def test_wait_and_flatten_may_stand_without_anything_in_them(nothing: str) -> None:
    assert _step(f"wait: {nothing}, when: {{delay: 1s}}").body == WaitBody()
    assert _step(f"flatten: {nothing}").body == FlattenBody(account=False)


def test_cancel_names_steps_and_flatten_may_take_the_whole_account() -> None:
    assert _step("cancel: {steps: [b, c]}").body == CancelBody(("b", "c"))
    assert _step("flatten: {scope: account}").body == FlattenBody(account=True)


@pytest.mark.parametrize(
    ("text", "dependencies"),
    [
        ("b", [("b", "succeeded", ())]),
        ("[b, c.entry]", [("b", "succeeded", (0,)), ("c.entry", "succeeded", (1,))]),
        (
            "{b: first_fill, c.slice.3: filled}",
            [("b", "first_fill", ("b",)), ("c.slice.3", "filled", ("c.slice.3",))],
        ),
    ],
)
def test_after_is_one_step_a_list_or_a_map(
    text: str, dependencies: list[tuple[str, str, tuple[str | int, ...]]]
) -> None:
    found = _step(f"wait: {{}}, when: {{delay: 1s}}, after: {text}").after
    assert [(one.target, one.outcome, one.path) for one in found] == [
        (target, outcome, ("steps", 0, "after", *path)) for target, outcome, path in dependencies
    ]


@pytest.mark.parametrize(
    ("outcome", "target", "policy"),
    [
        ("failed", "a", OnFailure.CONTINUE),
        ("any", "a", OnFailure.CONTINUE),
        ("failed", "a.entry", OnFailure.CONTINUE),
        ("filled", "a", OnFailure.STOP),
        ("cancelled", "a", OnFailure.STOP),
    ],
)
def test_waiting_for_a_failure_lets_the_run_go_on(outcome: str, target: str, policy: OnFailure) -> None:
    plan = load(
        "steps:\n  - {id: a, entry: {side: BUY, type: MARKET, quantity: 1}}\n"
        f"  - {{id: b, flatten: {{}}, after: {{{target}: {outcome}}}}}\n"
    )
    assert [step.on_failure for step in plan.steps] == [policy, OnFailure.STOP]


PRICE = PriceCondition("BTCUSDT", Relation.ABOVE, Decimal(5))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("{price: {above: 5}}", PRICE),
        (
            "{price: {below: 5, source: MARK, symbol: ETHUSDT}}",
            PriceCondition("ETHUSDT", Relation.BELOW, Decimal(5), PriceSource.MARK),
        ),
        ("{price: {crosses_up: 5}}", PriceCondition("BTCUSDT", Relation.CROSSES_UP, Decimal(5))),
        ("{price: {crosses_down: 5, source: LAST}}", PriceCondition("BTCUSDT", Relation.CROSSES_DOWN, Decimal(5))),
        ("{position: {above: 0}}", PositionCondition("BTCUSDT", Relation.ABOVE, Decimal(0))),
        ("{position: {below: -0.5}}", PositionCondition("BTCUSDT", Relation.BELOW, Decimal("-0.5"))),
        ("{at: 2026-11-24T08:00:00Z}", AtCondition(1_795_507_200_000)),
        ("{at: '2026-11-24T08:00:00.5+00:00'}", AtCondition(1_795_507_200_500)),
        ("{delay: 5m}", DelayCondition(300_000)),
        ("{delay: 0s}", DelayCondition(0)),
        ("{price: {above: 5}, for: 3m}", HeldFor(PRICE, 180_000)),
        ("{all: [{price: {above: 5}}, {delay: 1s}]}", AllOf((PRICE, DelayCondition(1_000)))),
        ("{any: [{price: {above: 5}}], for: 1s}", HeldFor(AnyOf((PRICE,)), 1_000)),
        ("{not: {price: {above: 5}}}", Not(PRICE)),
    ],
)
def test_each_condition(text: str, condition: Condition) -> None:
    assert _condition(text) == condition


def test_a_step_that_only_waits_needs_no_symbol() -> None:
    from runner.plan.load import load_plan

    step = load_plan(
        "x", b"version: 1\nname: x\nsteps: [{id: a, wait: , when: {price: {above: 5, symbol: ETHUSDT}}}]"
    ).steps[0]
    assert step.symbol == ""
    assert step.when == PriceCondition("ETHUSDT", Relation.ABOVE, Decimal(5))


def test_a_dry_run_that_says_nothing_has_the_defaults_of_the_language() -> None:
    plan = load(WAIT)
    assert plan.dryrun == DryRunSettings()
    assert load("dryrun: {}\n" + WAIT).dryrun == plan.dryrun
    assert (plan.limits, plan.description, plan.params) == (Limits(), "", {})
    assert (plan.dryrun.balance, plan.dryrun.leverage, plan.dryrun.latency_ms) == (Decimal(10000), 5, 50)
    assert (plan.dryrun.maker_fee, plan.dryrun.taker_fee) == (Decimal("0.0002"), Decimal("0.0005"))


def test_a_dry_run_with_everything() -> None:
    found = load(
        "dryrun:\n  balance: 5\n  leverage: 125\n  fees: {maker: 0%, taker: 0.04%}\n  latency: 0s\n"
        "  start: 2025-05-01T00:00:00Z\n  fill: touch\n  positions: {BTCUSDT: {quantity: -0.5, entry_price: 60000}}\n"
        "  market:\n    BTCUSDT: {data: [a.csv, b.zip]}\n    ETHUSDT: {path: [{at: 0s, price: 1}, {at: 5s,"
        " price: 2}]}\n"
        "    SOLUSDT: {random: {start: 9, volatility: 0%, hours: 1, seed: 7}}\n    XRPUSDT: {random: {}}\n" + WAIT
    ).dryrun
    assert found == DryRunSettings(
        Decimal(5),
        125,
        Decimal(0),
        Decimal("0.0004"),
        0,
        1_746_057_600_000,
        True,
        (Position("BTCUSDT", Decimal("-0.5"), Decimal(60000)),),
        {
            "BTCUSDT": DataMarket(("a.csv", "b.zip")),
            "ETHUSDT": PathMarket((PathPoint(0, Decimal(1)), PathPoint(5_000, Decimal(2)))),
            "SOLUSDT": RandomMarket(Decimal(9), Decimal(0), 1, 7),
            "XRPUSDT": RandomMarket(None, Decimal("0.6"), 24, None),
        },
    )


def test_one_source_stands_for_every_symbol() -> None:
    assert load("dryrun: {market: {path: [{at: 0s, price: 1}]}}\n" + WAIT).dryrun.market == {
        "": PathMarket((PathPoint(0, Decimal(1)),))
    }


def test_a_dry_run_takes_the_leverage_and_margin_type_of_the_account() -> None:
    found = load("account: {leverage: 20, margin_type: ISOLATED}\ndryrun: {balance: 5}\n" + WAIT)
    assert found.account == AccountSettings(20, "ISOLATED")
    assert (found.dryrun.leverage, found.dryrun.margin_type) == (20, "ISOLATED")
    assert load("account: {leverage: 20}\n" + WAIT).dryrun.leverage == 20
    assert load("account: {leverage: 20}\ndryrun: {leverage: 20}\n" + WAIT).dryrun.leverage == 20
    plain = load(WAIT)
    assert (plain.account, plain.dryrun.leverage, plain.dryrun.margin_type) == (AccountSettings(), 5, "CROSSED")


def test_what_others_change_halts_the_run_unless_the_plan_adopts_it() -> None:
    assert load(WAIT).on_external_change is OnExternalChange.HALT
    assert load("on_external_change: adopt\n" + WAIT).on_external_change is OnExternalChange.ADOPT


def test_an_existing_position_is_refused_unless_the_step_or_the_defaults_allow_it() -> None:
    entry = "entry: {side: BUY, quantity: 1, type: MARKET}}"
    steps = f"steps:\n  - {{id: a, {entry}\n  - {{id: b, existing_position: refuse, {entry}\n"
    assert [one.existing_position for one in load(steps).steps] == [ExistingPosition.REFUSE] * 2
    plan = load_plan("x.yaml", (
        "version: 1\nname: x\ndefaults: {symbol: BTCUSDT, existing_position: allow}\n" + steps
    ).encode())
    assert [one.existing_position for one in plan.steps] == [ExistingPosition.ALLOW, ExistingPosition.REFUSE]


def test_gtd_has_its_date_and_a_stop_may_be_of_the_whole_position() -> None:
    body = load(
        "steps:\n  - id: a\n    time_in_force: GTD\n    bracket:\n      side: BUY\n      quantity: 1\n"
        "      entry: {type: LIMIT, price: 5, good_till: 2026-11-24T08:00:00Z}\n"
        "      stop_loss: {stop_price: 4, close_position: true}\n"
    ).steps[0].body
    assert isinstance(body, BracketBody)
    assert body.entry.good_till_ms == 1_795_507_200_000
    assert body.stop_loss == StopLoss(Decimal(4), None, True)
