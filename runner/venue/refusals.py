"""The exchange's no: Binance's code and message.

Source: USDⓈ-M error codes.  A refusal leaves no trace on the exchange.
"""


class Refusal(Exception):
    """A request was refused; nothing of it was done."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
