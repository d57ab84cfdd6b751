"""The simulated exchange on Binance's own wire: HTTP under `/fapi`, WebSocket, and controls under `/sim`."""
