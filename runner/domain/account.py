"""What an account is set to, as facts."""

from runner.domain.value import Value


class SymbolSetting(Value, frozen=True):
    """`margin_type` is ISOLATED or CROSSED."""

    symbol: str
    leverage: int
    margin_type: str


class AccountFacts(Value, frozen=True):
    """`tag` is the exchange's own short name of the account, the same for each of its keys.  `settings` are of the
    symbols that were asked for."""

    tag: str
    can_trade: bool
    hedge_mode: bool
    multi_assets: bool
    settings: tuple[SymbolSetting, ...] = ()

    def setting(self, symbol: str) -> SymbolSetting | None:
        return next((one for one in self.settings if one.symbol == symbol), None)
