"""The symbols that are traded here, as calls name them."""

from runner.domain.instrument import Instrument
from runner.venue.fapi.calls import Call
from runner.venue.refusals import UNKNOWN_SYMBOL, Refusal


def instrument(call: Call, symbol: str) -> Instrument:
    """-1121 for a symbol that is not traded here."""
    book = call.exchange.books.get(symbol)
    if book is None:
        raise Refusal(*UNKNOWN_SYMBOL)
    return book.instrument


def some_symbol(call: Call) -> str:
    """The symbol that was asked for, empty where none was."""
    symbol = call.params.maybe_symbol()
    if symbol:
        instrument(call, symbol)
    return symbol


def symbols(call: Call) -> list[str]:
    """All of them."""
    return list(call.exchange.books)
