"""The gateway to Binance USDⓈ-M Futures, on python-binance.

What it logs is for whoever attaches a handler; nothing of it goes to the terminal by itself.
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
