"""The WebSocket streams: market data and user data."""
