"""A small market for tests of the accounts: marks that are set by hand, contracts as shipped or given."""

from decimal import Decimal
from typing import Any

from runner.domain.values import OrderType, Side
from runner.venue.account import Account
from runner.venue.contracts import Contract, brackets
from runner.venue.orders import WorkingOrder
from runner.venue.requests import NewOrder
from runner.venue.settings import VenueSettings
from runner.venue.terms import IncomeType, MarginType, PositionSide
from tests.venue.desk import BTC, COARSE, d

BOTH, LONG, SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT
BUY, SELL = Side.BUY, Side.SELL
PLAIN = Contract(brackets((20, 10_000, "0.01"), (10, 50_000, "0.05"), (2, 200_000, "0.25")))
ALT = BTC.but(symbol="ALTUSDT", base_asset="ALT")
USDC = BTC.but(symbol="BTCUSDC", quote_asset="USDC")


class Marks:
    """Satisfies `margin.Venue`: BTCUSDT, ALTUSDT and BTCUSDC at 100 unless set otherwise, all under `PLAIN`."""

    def __init__(self, **marks: int | str) -> None:
        self.marks = {"BTCUSDT": d(100), "ALTUSDT": d(100), "BTCUSDC": d(100), "COARSEUSDT": d(10)}
        self.set(**marks)

    def set(self, **marks: int | str) -> "Marks":
        self.marks |= {symbol: d(price) for symbol, price in marks.items()}
        return self

    def mark(self, symbol: str) -> Decimal:
        return self.marks[symbol]

    def contract(self, symbol: str) -> Contract:
        return PLAIN

    def asset(self, symbol: str) -> str:
        return "USDC" if symbol.endswith("USDC") else "USDT"


class Ledger:
    """An account with a wallet of 1000 USDT, leverage 10, and short words for what happens to it; fees as given."""

    def __init__(self, balance: int | str = 1000, *, leverage: int = 10, fee: str = "0", **settings: Any) -> None:
        contracts = dict.fromkeys(("BTCUSDT", "ALTUSDT", "BTCUSDC", "COARSEUSDT"), PLAIN)
        self.account = Account("main", VenueSettings(
            leverage=leverage, maker_fee=d(fee), taker_fee=d(fee), contracts=contracts, **settings,
        ))
        self.account.pay(IncomeType.TRANSFER, "USDT", d(balance), 0)
        self.count = 0

    def isolate(self, symbol: str = "BTCUSDT") -> "Ledger":
        self.account.config(symbol).margin_type = MarginType.ISOLATED
        return self

    def hedge(self) -> "Ledger":
        self.account.hedge = True
        return self

    def trade(
        self, side: Side, qty: int | str, price: int | str, position_side: PositionSide = BOTH, symbol: str = "BTCUSDT",
    ) -> None:
        self.count += 1
        instrument = {"BTCUSDT": BTC, "ALTUSDT": ALT, "BTCUSDC": USDC, "COARSEUSDT": COARSE}[symbol]
        self.account.execute(instrument, position_side, side, d(qty), d(price), False, self.count, self.count)

    def rest(
        self, side: Side, qty: int | str, price: int | str, position_side: PositionSide = BOTH,
        symbol: str = "BTCUSDT", *, exits: bool = False,
    ) -> WorkingOrder:
        """A working limit order."""
        self.count += 1
        request = NewOrder(
            symbol, side, OrderType.LIMIT, d(qty), f"o{self.count}", position_side, price=d(price), reduce_only=exits,
        )
        order = WorkingOrder("main", request, self.count, 0, 0, self.count, 0, exits)
        self.account.open.add(order)
        return order

    @property
    def wallet(self) -> Decimal:
        return self.account.wallet()

    @property
    def cross(self) -> Decimal:
        return self.account.cross_wallet()

    def own(self, position_side: PositionSide = BOTH, symbol: str = "BTCUSDT") -> Decimal:
        """The isolated wallet of a position."""
        return self.account.holding(symbol, position_side).isolated_wallet
