"""A plan as frozen values: what the user wrote, with parameters and defaults filled in, and nothing else."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from runner.domain.conditions import Condition
from runner.domain.positions import Position
from runner.domain.sizes import Distance, Size
from runner.domain.value import Value
from runner.domain.values import OrderType, Side, TimeInForce, WorkingType
from runner.plan.diagnostics import Diagnostic, Fault, Mark, Path

Level = Decimal | Distance
"""A price as written: explicit, or a distance from an anchor."""


class OnFailure(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"
    FLATTEN = "flatten"


class OnTimeout(StrEnum):
    KEEP = "keep"
    CLOSE = "close"


class OnImmediateTrigger(StrEnum):
    FAIL = "FAIL"
    MARKET = "MARKET"


class OnExternalChange(StrEnum):
    HALT = "halt"
    ADOPT = "adopt"


class ExistingPosition(StrEnum):
    REFUSE = "refuse"
    ALLOW = "allow"


class CatchUp(StrEnum):
    NEXT = "next"
    SPREAD = "spread"
    SKIP = "skip"


class Finish(StrEnum):
    LEAVE = "leave"
    MARKET = "MARKET"


class OrderFields(Value, frozen=True):
    """An order type with its prices.  `callback_rate` is a fraction (1 % is 0.01); `good_till_ms` belongs to GTD."""

    type: OrderType
    price: Level | None = None
    stop_price: Decimal | None = None
    limit_price: Decimal | None = None
    callback_rate: Decimal | None = None
    activation_price: Decimal | None = None
    good_till_ms: int | None = None


class TakeProfit(Value, frozen=True):
    """`portion` is a fraction of the whole."""

    type: OrderType
    price: Level
    portion: Decimal


class StopLoss(Value, frozen=True):
    """`close_position`: the exchange sizes it, at its trigger, to the whole position."""

    stop_price: Level
    limit_price: Decimal | None = None
    close_position: bool = False


class EntryBody(Value, frozen=True):
    side: Side
    size: Size
    order: OrderFields


class ExitBody(Value, frozen=True):
    """`side` is the order's own side: SELL closes a long."""

    side: Side
    size: Size
    order: OrderFields


class OcoBody(Value, frozen=True):
    """`side` is the side of the exits."""

    side: Side
    size: Size
    take_profits: tuple[TakeProfit, ...]
    stop_loss: StopLoss


class BracketBody(Value, frozen=True):
    """`side` is the side of the entry."""

    side: Side
    size: Size
    entry: OrderFields
    take_profits: tuple[TakeProfit, ...]
    stop_loss: StopLoss


class TwapBody(Value, frozen=True):
    """`randomize` is a fraction; `of` names the opener whose group this closes, or None."""

    side: Side
    size: Size
    slices: int
    every_ms: int
    order: OrderFields
    randomize: Decimal
    catch_up: CatchUp
    finish: Finish
    reduce_only: bool
    of: str | None


class WaitBody(Value, frozen=True):
    pass


class CancelBody(Value, frozen=True):
    steps: tuple[str, ...]


class FlattenBody(Value, frozen=True):
    """`account` closes the symbol's whole net position, not only what the plan opened."""

    account: bool


Body = EntryBody | ExitBody | OcoBody | BracketBody | TwapBody | WaitBody | CancelBody | FlattenBody


class Dependency(Value, frozen=True):
    """`after: {target: outcome}`; `target` is a step id, or a leg like `long.take_profit.2`."""

    target: str
    outcome: str
    path: Path


class Step(Value, frozen=True):
    """One step; `kind` is its kind key.  Times in milliseconds; `path` is `("steps", index)`."""

    step_id: str
    kind: str
    body: Body
    symbol: str
    after: tuple[Dependency, ...]
    when: Condition | None
    timeout_ms: int | None
    on_timeout: OnTimeout
    on_failure: OnFailure
    time_in_force: TimeInForce
    working_type: WorkingType
    protected_within_ms: int
    trigger_timeout_ms: int
    on_immediate_trigger: OnImmediateTrigger
    unprotected_allowed: bool
    path: Path
    existing_position: ExistingPosition = ExistingPosition.REFUSE


class AccountSettings(Value, frozen=True):
    """What the account must be set to; None where the plan does not say.  `margin_type` is ISOLATED or CROSSED."""

    leverage: int | None = None
    margin_type: str | None = None


class Limits(Value, frozen=True):
    """Caps in quote units; None where the plan sets none."""

    max_order_notional: Decimal | None = None
    max_position_notional: Decimal | None = None
    max_daily_loss: Decimal | None = None


class PathPoint(Value, frozen=True):
    at_ms: int
    price: Decimal


class DataMarket(Value, frozen=True):
    """Public data files, merged by time."""

    files: tuple[str, ...]


class PathMarket(Value, frozen=True):
    """Prices that run linearly between points."""

    points: tuple[PathPoint, ...]


class RandomMarket(Value, frozen=True):
    """A seeded invented market.  `volatility` is a yearly fraction; `start` and `seed` None where not given."""

    start: Decimal | None
    volatility: Decimal
    hours: int
    seed: int | None


Market = DataMarket | PathMarket | RandomMarket


NO_MARKETS: Mapping[str, Market] = MappingProxyType({})


class DryRunSettings(Value, frozen=True):
    """The simulated exchange.  `market` is by symbol, the key "" standing for all; fees are fractions.

    `leverage` and `margin_type` are those of the plan's `account`, where it says them.
    """

    balance: Decimal = Decimal(10000)
    leverage: int = 5
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    latency_ms: int = 50
    start_ms: int = 1_735_689_600_000
    fill_on_touch: bool = False
    positions: tuple[Position, ...] = ()
    market: Mapping[str, Market] = NO_MARKETS
    margin_type: str = "CROSSED"


class Source(Value, frozen=True):
    """The text a plan came from: name, SHA-256 of its bytes, lines, and where each value and key stands."""

    name: str
    sha256: str
    lines: tuple[str, ...]
    values: Mapping[Path, Mark]
    keys: Mapping[Path, Mark]

    def diagnose(self, fault: Fault) -> Diagnostic:
        """The fault at its place; a path that the text does not hold falls back to the nearest one that it does."""
        path = fault.path
        table = self.keys if fault.at_key else self.values
        mark = table.get(path)
        while mark is None and path:
            path = path[:-1]
            mark = self.keys.get(path) or self.values.get(path)
        mark = mark or Mark(1, 1, 2)
        text = self.lines[mark.line - 1] if mark.line <= len(self.lines) else ""
        return Diagnostic(fault.code, fault.severity, fault.message, fault.hint, self.name, mark, text, fault.path)


class Plan(Value, frozen=True):
    """`params` holds the values in force, after `--set`."""

    name: str
    description: str
    params: Mapping[str, object]
    limits: Limits
    dryrun: DryRunSettings
    steps: tuple[Step, ...]
    source: Source
    account: AccountSettings = AccountSettings()
    on_external_change: OnExternalChange = OnExternalChange.HALT
