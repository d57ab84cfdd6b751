"""What goes over the wire: states and facts of the exchange as Binance's JSON."""
