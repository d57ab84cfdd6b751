"""daksh-run: run declarative strategy files on Binance USDⓈ-M Futures, simulated or live."""

__version__ = "0.1.0"
