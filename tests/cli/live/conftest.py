from tests.live.conftest import stage, trader

__all__ = ["stage", "trader"]
