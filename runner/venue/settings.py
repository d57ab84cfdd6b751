"""What one simulated exchange is like, and what its accounts begin with.

`Rules` holds what Binance does not document, or what was seen both ways: each a switch, with the default named.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from runner.domain.positions import Position
from runner.domain.value import Value
from runner.venue.contracts import Contract, shipped_contract
from runner.venue.terms import MarginType


class Conflict(StrEnum):
    """What becomes of a reduce-only order that would take at once (MARKET, triggered) while resting reduce-only
    orders already cover the position."""

    KNOCK_OUT = "KNOCK_OUT"  # the resting ones end EXPIRED as it fills
    REFUSE = "REFUSE"  # -2022, or REJECTED at the trigger
    REFUSE_MARGIN = "REFUSE_MARGIN"  # -4118, or REJECTED at the trigger


class Slippage(Value, frozen=True):
    """A book where the data have none: the best price lies `half_spread_ticks` from the last price, and each level
    shows `depth_quote` (quote units); levels are `level_bps` hundredths of a percent apart, at least one tick."""

    half_spread_ticks: int = 1
    level_bps: Decimal = Decimal(1)
    depth_quote: Decimal = Decimal(50_000)


class Rules(Value, frozen=True):
    """The exchange's undocumented behaviour."""

    conflict: Conflict = Conflict.KNOCK_OUT
    unfillable_is_refused: bool = True
    """A FOK that cannot fill and a GTX that would take: -5021 and -5022 (True), or accepted and EXPIRED at once."""
    protected_trigger_waits: bool = True
    """A `priceProtect` order whose mark is too far from the last price: waits (True), or ends REJECTED."""
    good_till_cancels: bool = True
    """A GTD order at its date: CANCELED (True), or EXPIRED."""
    countdown_covers_conditionals: bool = False
    conditional_exit_needs_position: bool = False
    """A reduce-only conditional order while flat: accepted, and judged at its trigger (False), or -2022."""
    legacy_streams_deliver: bool = True
    """Sockets on `/ws` and `/stream` without a route get all they ask for, as on the demo exchange in September 2026
    (True), or nothing of market and user data, as on production since 2026-04-23 (False)."""
    deleted_listen_key_closes: bool = True
    """`DELETE` of a listen key closes the sockets that listen by it (True), or leaves them open and silent."""


class VenueSettings(Value, frozen=True):
    """`balance` in quote units, fees as fractions of the notional.

    `fill_on_touch`: a resting limit is filled when the price trades at it, not only through it.
    `positions` the first account holds from the start; an `entry_px` of zero stands for the symbol's first price.
    `slippage` applies where there are no quotes; None: the last price, for any quantity.
    `funding_rate` is the fraction exchanged at each funding time, longs paying shorts where it is above 0; None: it is
    not known, and whoever holds a position pays `runner.venue.funding.UNKNOWN_RATE`.
    `contracts` overrides what `runner.venue.contracts` knows of a symbol.  Ids count up from the given firsts.
    Of closed orders the last `keep_closed` of each account are kept.  `margin_type` is every symbol's to begin with.
    """

    balance: Decimal = Decimal(10000)
    leverage: int = 5
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    fill_on_touch: bool = False
    positions: tuple[Position, ...] = ()
    slippage: Slippage | None = None
    funding_rate: Decimal | None = None
    contracts: Mapping[str, Contract] = {}
    rules: Rules = Rules()
    first_order_id: int = 1
    first_algo_id: int = 1
    keep_closed: int = 10_000
    margin_type: MarginType = MarginType.CROSSED

    def contract(self, symbol: str) -> Contract:
        """What is known of a symbol's contract: what these settings say, or what is shipped."""
        return self.contracts.get(symbol) or shipped_contract(symbol)
