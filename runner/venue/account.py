"""One account on the simulated exchange: what it owns, what it holds, how it trades, and what became of its orders.

A wallet changes by two doors only, `execute` and `pay`, and both write the income rows that say so: the wallet of an
asset is at every moment exactly the sum of its income.  Fees and profits have 8 decimals, rounded against the account.
"""

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, Side
from runner.venue.facts import BalanceState, Income, PositionState
from runner.venue.history import History
from runner.venue.holdings import Booking, Holding, SymbolConfig, booked
from runner.venue.orders import OpenOrders
from runner.venue.settings import VenueSettings
from runner.venue.terms import IncomeType, PositionSide

_SHOWN = Decimal("0.00000000001")


class Account:
    """`wallets` is all that is owned per margin asset, isolated wallets included; `open` are the open orders.

    In hedge mode the positions are LONG and SHORT, otherwise BOTH.
    """

    def __init__(self, name: str, settings: VenueSettings) -> None:
        self.name = name
        self.hedge = False
        self.maker_fee = settings.maker_fee
        self.taker_fee = settings.taker_fee
        self.wallets: dict[str, Decimal] = {}
        self.wallets_ms: dict[str, int] = {}
        self.holdings: dict[tuple[str, PositionSide], Holding] = {}
        self.open = OpenOrders()
        self.history = History(settings.keep_closed)
        self._settings = settings
        self._configs: dict[str, SymbolConfig] = {}
        self._incomes = 0

    def wallet(self, asset: str = "USDT") -> Decimal:
        """All that the account owns of a margin asset, without unrealised profit."""
        return self.wallets.get(asset, ZERO)

    def cross_wallet(self, asset: str = "USDT") -> Decimal:
        """What no isolated position holds for itself."""
        left = self.wallets.get(asset, ZERO)
        for held in self.holdings.values():
            if held.isolated_wallet and held.asset == asset:
                left = EXACT.subtract(left, held.isolated_wallet)
        return left

    def config(self, symbol: str) -> SymbolConfig:
        """How the account trades a symbol; a record that may be changed."""
        config = self._configs.get(symbol)
        if config is None:
            leverage = min(self._settings.leverage, self._settings.contract(symbol).max_leverage)
            config = self._configs[symbol] = SymbolConfig(leverage, self._settings.margin_type)
        return config

    def holding(self, symbol: str, position_side: PositionSide = PositionSide.BOTH) -> Holding:
        """The position; an empty one that nobody keeps where there is none."""
        return self.holdings.get((symbol, position_side)) or Holding(symbol, position_side)

    def held(self, asset: str = "") -> list[Holding]:
        """The positions that are not flat, of one margin asset or of all."""
        return [held for held in self.holdings.values() if held.qty and (not asset or held.asset == asset)]

    def holds(self, symbol: str) -> bool:
        """Whether any position of the symbol is not flat."""
        return any(held.qty and held.symbol == symbol for held in self.holdings.values())

    def closable(self, symbol: str, position_side: PositionSide, side: Side) -> Decimal:
        """How much an order of `side` can close: nothing when flat or on the same side."""
        qty = self.holding(symbol, position_side).qty * -side.sign
        return max(qty, ZERO)

    def endow(
        self, instrument: Instrument, position_side: PositionSide, qty: Decimal, entry_px: Decimal, at_ms: int,
    ) -> None:
        """Let the account hold a position (signed) that nobody has traded: what it has from the start."""
        held = self._held(instrument, position_side)
        config = self.config(instrument.symbol)
        held.qty, held.entry_px, held.updated_ms = qty, entry_px, at_ms
        if config.isolated:
            free = max(self.cross_wallet(instrument.quote_asset), ZERO)
            held.isolated_wallet = min(_initial_margin(qty, entry_px, config), free)

    def execute(
        self, instrument: Instrument, position_side: PositionSide, side: Side, qty: Decimal, price: Decimal,
        maker: bool, trade_id: int, at_ms: int,
    ) -> Booking:
        """Take one execution into the position, the wallet and the income; an isolated wallet follows."""
        held = self._held(instrument, position_side)
        config = self.config(instrument.symbol)
        asset = instrument.quote_asset
        free = self.cross_wallet(asset) if config.isolated else ZERO
        booking, opened = held.take(side, qty, price, self.maker_fee if maker else self.taker_fee)
        held.updated_ms = at_ms
        if config.isolated:
            held.isolate(booking, opened, qty, _initial_margin(opened, price, config), free)
        symbol = instrument.symbol
        self._book(IncomeType.COMMISSION, asset, -booking.fee, at_ms, symbol, trade_id)
        self._book(IncomeType.REALIZED_PNL, asset, booking.realized, at_ms, symbol, trade_id)
        return booking

    def pay(
        self, kind: IncomeType, asset: str, amount: Decimal, at_ms: int, symbol: str = "", note: str = "",
        isolated: PositionSide | None = None,
    ) -> None:
        """Change a wallet by anything but an execution; `isolated` names the position whose own wallet it concerns."""
        if isolated is not None:
            held = self.holdings[symbol, isolated]
            held.isolated_wallet = EXACT.add(held.isolated_wallet, amount)
        self._book(kind, asset, amount, at_ms, symbol, 0, note)

    def balance_state(self, asset: str, change: Decimal = ZERO) -> BalanceState:
        return BalanceState(asset, self.wallet(asset), self.cross_wallet(asset), change)

    def position_state(self, symbol: str, position_side: PositionSide, mark: Decimal) -> PositionState:
        """The position as it is told to the world; prices to 11 decimals."""
        held = self.holding(symbol, position_side)
        return PositionState(
            symbol, position_side, held.qty, shown_px(held.entry_px), shown_px(held.break_even_px), held.realized,
            booked(held.unrealized(mark), ROUND_HALF_EVEN), self.config(symbol).margin_type, held.isolated_wallet,
        )

    def _held(self, instrument: Instrument, position_side: PositionSide) -> Holding:
        key = (instrument.symbol, position_side)
        held = self.holdings.get(key)
        if held is None:
            held = self.holdings[key] = Holding(instrument.symbol, position_side, instrument.quote_asset)
        return held

    def _book(
        self, kind: IncomeType, asset: str, amount: Decimal, at_ms: int, symbol: str, trade_id: int, note: str = "",
    ) -> None:
        if amount == ZERO:
            return
        self._incomes += 1
        self.wallets[asset] = EXACT.add(self.wallets.get(asset, ZERO), amount)
        self.wallets_ms[asset] = at_ms
        self.history.add_income(Income(self._incomes, kind, asset, amount, at_ms, symbol, trade_id, note))


def shown_px(price: Decimal) -> Decimal:
    """An average price to at most the 11 decimals that Binance shows; the exact one goes on being reckoned with."""
    exponent = price.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -11:
        return price
    return price.quantize(_SHOWN, rounding=ROUND_HALF_EVEN, context=EXACT).normalize(EXACT)


def _initial_margin(qty: Decimal, price: Decimal, config: SymbolConfig) -> Decimal:
    """What of the wallet an isolated position of that size takes for itself."""
    return booked(EXACT.divide(EXACT.multiply(abs(qty), price), Decimal(config.leverage)), ROUND_CEILING)
