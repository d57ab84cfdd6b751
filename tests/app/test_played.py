from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from runner.app.played import DEFAULT_PRICES, Sources, played_markets
from runner.domain.catalog import shipped_instruments
from runner.errors import EnvironmentFault, UsageError

INSTRUMENTS = shipped_instruments()
POINTS = ((0, Decimal(60000)), (2000, Decimal(60002)))


def test_without_a_wish_the_default_symbols_play_invented_markets_and_say_so() -> None:
    markets = played_markets(Sources(), INSTRUMENTS)
    assert {market.symbol for market in markets} == set(DEFAULT_PRICES) >= {"BTCUSDT", "ETHUSDT"}
    for market in markets:
        assert "INVENTED" in market.words
        assert next(iter(market.data)).price == DEFAULT_PRICES[market.symbol]  # type: ignore[union-attr]


def test_the_same_seed_invents_the_same_market() -> None:
    def prices(seed: int) -> list[object]:
        (market,) = played_markets(Sources(prices={"ETHUSDT": Decimal(2000)}, seed=seed), INSTRUMENTS)
        return list(islice(market.data, 100))

    assert prices(7) == prices(7) != prices(8)


def test_a_path_without_a_symbol_is_of_bitcoin() -> None:
    (market,) = played_markets(Sources(paths=(("", POINTS),)), INSTRUMENTS)
    assert market.symbol == "BTCUSDT"
    assert [str(point.price) for point in market.data] == ["60000.0", "60001.0", "60002.0"]  # type: ignore[union-attr]


def test_a_file_says_its_symbol_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "ETHUSDT-trades-2025-05.csv"
    file.write_text("1,2500.00,0.5,1250,1746057600000,true\n", encoding="utf-8")
    (market,) = played_markets(Sources(files=(("", str(file)),)), INSTRUMENTS)
    assert market.symbol == "ETHUSDT"
    assert market.words == "ETHUSDT-trades-2025-05.csv, 1 trades"


@pytest.mark.parametrize("sources", [
    Sources(files=(("", "prices.csv"),)),
    Sources(paths=(("", POINTS), ("BTCUSDT", POINTS))),
    Sources(paths=(("", POINTS),), prices={"BTCUSDT": Decimal(1)}),
])
def test_wishes_that_do_not_go_together_are_refused(sources: Sources) -> None:
    with pytest.raises(UsageError) as refused:
        played_markets(sources, INSTRUMENTS)
    assert refused.value.hint


def test_a_symbol_without_rules_is_refused() -> None:
    with pytest.raises(EnvironmentFault, match="PEPEUSDT: its trading rules are not known"):
        played_markets(Sources(prices={"PEPEUSDT": Decimal(1)}), INSTRUMENTS)


def test_instruments_without_a_default_symbol_ask_for_one() -> None:
    with pytest.raises(EnvironmentFault) as refused:
        played_markets(Sources(), {"ADAUSDT": INSTRUMENTS["ADAUSDT"]})
    assert "--price" in refused.value.hint
