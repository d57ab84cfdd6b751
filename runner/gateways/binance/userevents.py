"""The events of the user data stream as the domain's.

Source: Binance USDⓈ-M Futures, "User Data Streams": ORDER_TRADE_UPDATE, ALGO_UPDATE, ACCOUNT_UPDATE, MARGIN_CALL,
ACCOUNT_CONFIG_UPDATE, listenKeyExpired.

Several events speak of one thing, and each thing is told once: a conditional order up to its trigger by ALGO_UPDATE,
from then on by the events of the order that it has placed in the matching engine, under the conditional order's client
id.  The two are linked by `ai`.  TRADE_LITE says nothing that ORDER_TRADE_UPDATE does not say.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from runner.domain.events import (
    Event,
    Force,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
    PositionReport,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.value import Value
from runner.domain.values import ZERO, Side
from runner.gateways.binance.rows import ALGO_STATUS, STATUS, Names
from runner.gateways.binance.told import Latest

_LOG = logging.getLogger(__name__)
Frame = Mapping[str, Any]

WHY = {
    "1": "Self-trade prevented",
    "2": "Unfilled rest expired",
    "3": "Self-trade prevented",
    "4": "Reduce Only expired",
    "5": "Liquidation",
    "6": "The position is gone",
    "7": "The symbol is delisted",
    "8": "Expired after its stop triggered",
    "9": "Unfilled rest expired",
    "10": "Fill or kill could not be filled",
    "11": "Post only would have taken",
}
_FORCED = (
    ("adl_autoclose", Force.DELEVERAGED), ("autoclose-", Force.LIQUIDATED), ("settlement_autoclose-", Force.LIQUIDATED),
)
_MOST_CONDITIONALS = 200
"""How many an account may have open.  Source: Binance USDⓈ-M Futures, change log of 2025-12-29."""
_NO_ID = ("", "0")
_ENGINE_TELLS = ("TRIGGERING", "FINISHED")
_IGNORED = frozenset({"TRADE_LITE", "STRATEGY_UPDATE", "GRID_UPDATE", "CONDITIONAL_ORDER_TRIGGER_REJECT"})


class _Conditional(Value, frozen=True):
    """What the exchange holds a conditional order to; its engine order's events do not say all of it."""

    symbol: str
    side: Side
    trigger_px: Decimal | None
    close_position: bool


class Wallet(Value, frozen=True):
    """A balance that ACCOUNT_UPDATE tells of."""

    asset: str
    amount: Decimal


Heard = Event | Position | Wallet
"""What an event says: to the engine, or of the account's position and wallet as they are now."""


class UserEvents:
    """`symbols` are the run's; of others nothing is told but what concerns the whole account.

    `names` knows which client id an engine order's id stands for.  Three callables are told what asks for more:
    `key_expired` with a listen key, `config_changed`, `puzzled(symbol, order_id, client_ids)` where an order is not
    known that one of those conditional orders may have placed (its events wait for `settle`), and
    `unfinished(symbol, client_id)` where a conditional order is over of whose end nothing has come.
    """

    def __init__(
        self, symbols: Collection[str], names: Names, mark: Callable[[str], Decimal | None], *,
        key_expired: Callable[[str], None], config_changed: Callable[[], None],
        puzzled: Callable[[str, str, tuple[str, ...]], None], unfinished: Callable[[str, str], None],
    ) -> None:
        self._symbols = frozenset(symbols)
        self._names = names
        self._mark = mark
        self._key_expired = key_expired
        self._config_changed = config_changed
        self._puzzled = puzzled
        self._unfinished = unfinished
        self._plain: Latest[str, None] = Latest()
        self._conditionals: Latest[str, _Conditional] = Latest()
        self._untriggered: Latest[str, str] = Latest(_MOST_CONDITIONALS)
        self._waiting: dict[tuple[str, str], list[Frame]] = {}
        self._over: Latest[str, None] = Latest()
        self._unknown: set[str] = set()

    # --- what is known beside the stream

    def asked(self, request: OrderRequest) -> None:
        """An order of ours is on its way to the exchange."""
        if request.order_type.conditional:
            self._know(request.client_order_id, _Conditional(
                request.symbol, request.side, request.trigger_price, request.close_position,
            ))
        else:
            self._plain[request.client_order_id] = None

    def over(self, client_id: str) -> None:
        """An order of ours was refused, or has ended: it will place none any more."""
        self._untriggered.pop(client_id)

    def shown(self, reports: Iterable[OrderReport]) -> None:
        """Orders that a snapshot has shown."""
        for report in reports:
            if report.order_id.startswith("A") and report.side is not None:
                self._know(report.client_order_id, _Conditional(
                    report.symbol, report.side, report.trigger_px, bool(report.close_position),
                ))
            elif report.client_order_id not in self._conditionals:
                self._plain[report.client_order_id] = None

    def _know(self, client_id: str, conditional: _Conditional) -> None:
        if client_id not in self._conditionals:
            self._untriggered[client_id] = conditional.symbol
        self._conditionals[client_id] = conditional

    # --- what the stream says

    def read(self, frame: Frame) -> Iterable[Heard]:
        """What one event says, in the order in which it is to be told."""
        kind = frame.get("e")
        match kind:
            case "ORDER_TRADE_UPDATE":
                return self._order(frame)
            case "ALGO_UPDATE":
                return self._algo(frame)
            case "ACCOUNT_UPDATE":
                return self._account(frame)
            case "MARGIN_CALL":
                return (MarginCalled(int(frame["E"]), tuple(row["s"] for row in frame["p"])),)
            case "ACCOUNT_CONFIG_UPDATE":
                symbol = frame.get("ac", {}).get("s")
                if symbol is None or symbol in self._symbols:
                    self._config_changed()
            case "listenKeyExpired":
                self._key_expired(str(frame.get("listenKey", "")))
            case _:
                if kind not in _IGNORED and kind not in self._unknown:
                    self._unknown.add(str(kind))
                    _LOG.warning("the user stream tells of %r, which is not known here", kind)
        return ()

    def waits(self, symbol: str, order_id: str) -> bool:
        """Whether events of the order still wait for its origin."""
        return (symbol, order_id) in self._waiting

    def ended(self, client_id: str) -> bool:
        """Whether the end of the order that a conditional order has placed was heard of."""
        return client_id in self._over

    def settle(self, symbol: str, order_id: str) -> Iterable[Heard]:
        """What had waited for the order's origin; where that has not been found, it is an order of its own."""
        heard: list[Heard] = []
        for frame in self._waiting.pop((symbol, order_id), ()):
            heard += self._told(frame)
        return heard

    # --- orders

    def _order(self, frame: Frame) -> Iterable[Heard]:
        order = frame["o"]
        symbol, order_id, client_id = str(order["s"]), str(order["i"]), str(order["c"])
        if symbol not in self._symbols:
            return ()
        waiting = self._waiting.get((symbol, order_id))
        if waiting is not None:
            waiting.append(frame)
            return ()
        if forced(client_id) is None and not self._known(symbol, order_id, client_id):
            parents = tuple(
                parent for parent, place in self._untriggered.items()
                if place == symbol and (known := self._conditionals.get(parent)) and known.side == order["S"]
            )
            if parents:
                self._waiting[symbol, order_id] = [frame]
                self._puzzled(symbol, order_id, parents)
                return ()
        return self._told(frame)

    def _known(self, symbol: str, order_id: str, client_id: str) -> bool:
        return (
            client_id in self._plain or client_id in self._conditionals
            or bool(self._names.client_of(symbol, order_id))
        )

    def _told(self, frame: Frame) -> Iterable[Heard]:
        """The events of an order in the matching engine, under the client id by which it is known here."""
        order = frame["o"]
        symbol, order_id = str(order["s"]), str(order["i"])
        client_id = self._names.client_of(symbol, order_id, str(order["c"]))
        conditional = self._conditionals.get(client_id)
        self._names.learn(symbol, order_id, client_id, triggered=conditional is not None)
        if conditional is None:
            self._plain[client_id] = None
        else:
            self._untriggered.pop(client_id)
        at_ms, filled = int(frame["T"]), Decimal(order["z"])
        trade = _trade(order, at_ms, client_id)
        if forced(client_id) is not None:
            return () if trade is None else (executed(trade),)
        status = STATUS[order["X"]]
        if conditional is not None:
            if status.closed:
                self._over[client_id] = None
            if status is OrderStatus.NEW:
                status = OrderStatus.TRIGGERED
        report = OrderReport(
            at_ms, symbol, client_id, order_id, status, filled, Decimal(order["ap"]) if filled else None,
            self._mark(symbol), WHY.get(str(order.get("er", "")), ""), _positive(order["q"]),
            None if conditional is None else conditional.trigger_px, _positive(order["p"]), Side(order["S"]),
            bool(order["R"]), bool(order["cp"]) or (conditional is not None and conditional.close_position),
        )
        return (report,) if trade is None else (trade, report)

    def _algo(self, frame: Frame) -> Iterable[Heard]:
        order = frame["o"]
        symbol, client_id, status = str(order["s"]), str(order["caid"]), str(order["X"])
        if symbol not in self._symbols:
            return ()
        trigger_px, order_id = _positive(order["tp"]), str(order.get("ai", ""))
        close = bool(order["cp"])
        self._know(client_id, _Conditional(symbol, Side(order["S"]), trigger_px, close))
        released: Iterable[Heard] = ()
        if order_id not in _NO_ID:
            self._untriggered.pop(client_id)
            self._names.learn(symbol, order_id, client_id, triggered=True)
            released = self.settle(symbol, order_id)
        if status not in ("NEW", "TRIGGERING", "TRIGGERED"):
            self._untriggered.pop(client_id)
        if status in _ENGINE_TELLS:
            if status == "FINISHED" and client_id not in self._over:
                self._unfinished(symbol, client_id)
            return released
        report = OrderReport(
            int(frame["T"]), symbol, client_id, f"A{order['aid']}" if order_id in _NO_ID else order_id,
            ALGO_STATUS[status],
            Decimal(order.get("aq") or 0), None, self._mark(symbol), str(order.get("rm", "")), _positive(order["q"]),
            trigger_px, _positive(order["p"]), Side(order["S"]), bool(order["R"]), close,
        )
        return (report, *released)

    # --- the account

    def _account(self, frame: Frame) -> Iterable[Heard]:
        change, at_ms = frame["a"], int(frame["T"])
        heard: list[Heard] = []
        match change.get("m"):
            case "FUNDING_FEE":
                symbol = change.get("S") or next((row["s"] for row in change.get("P", ())), "")
                if symbol in self._symbols:
                    heard += (FundingExchanged(at_ms, symbol, Decimal(row["bc"]), row["a"]) for row in change["B"])
            case "INSURANCE_CLEAR":
                heard += (InsuranceCleared(at_ms, Decimal(row["bc"]), row["a"]) for row in change["B"])
        heard += (Wallet(row["a"], Decimal(row["wb"])) for row in change.get("B", ()))
        for row in change.get("P", ()):
            if row.get("ps", "BOTH") == "BOTH":
                symbol, qty = str(row["s"]), Decimal(row["pa"])
                heard.append(Position(symbol, qty, Decimal(row["ep"]) if qty else ZERO))
                if symbol in self._symbols:
                    heard.append(PositionReport(at_ms, symbol, qty))
        return heard


def forced(client_id: str) -> Force | None:
    """Why the exchange placed an order of this client id itself; None where it did not."""
    return next((cause for start, cause in _FORCED if client_id.startswith(start)), None)


def executed(trade: TradeReport) -> TradeReport | ForcedExecution:
    """An execution as it is told: of an order of the exchange's own it is a fact of another kind."""
    cause = forced(trade.client_order_id)
    if cause is None:
        return trade
    return ForcedExecution(
        trade.at_ms, trade.symbol, cause, trade.order_id, trade.trade_id, trade.side, trade.qty, trade.price, trade.fee,
        trade.fee_asset, trade.realized_pnl,
    )


def _trade(order: Frame, at_ms: int, client_id: str) -> TradeReport | None:
    """The execution that an event tells of; one without a fee has neither `n` nor `N`."""
    qty = Decimal(order["l"])
    if not qty or str(order["t"]) in _NO_ID:
        return None
    return TradeReport(
        int(order.get("T", at_ms)), str(order["s"]), client_id, str(order["i"]), str(order["t"]), Side(order["S"]), qty,
        Decimal(order["L"]), Decimal(order.get("n", 0)), str(order.get("N", "")), Decimal(order["rp"]),
        bool(order["m"]),
    )


def _positive(text: str) -> Decimal | None:
    """A price or quantity; where there is none, Binance says `0`."""
    value = Decimal(text)
    return value if value > ZERO else None
