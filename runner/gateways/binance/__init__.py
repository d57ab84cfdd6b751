"""The gateway to Binance USDⓈ-M Futures, on python-binance."""
