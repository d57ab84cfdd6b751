"""Which market a symbol gets, and what is said of it."""

from decimal import Decimal
from pathlib import Path

import pytest

from runner.app.market import ChosenMarket, Wishes, choose_markets, header_words
from runner.domain.catalog import shipped_instruments
from runner.errors import EnvironmentFault, UsageError
from runner.plan.load import load_plan

TWO = """\
version: 1
name: two
MARKET
steps:
  - {id: a, symbol: BTCUSDT, entry: {side: BUY, type: MARKET, quantity: 0.004}, unprotected: allow}
  - {id: b, symbol: ETHUSDT, entry: {side: BUY, type: LIMIT, price: 3000, quantity: 0.1}, unprotected: allow}
"""
ONE = TWO.rpartition("  - {id: b")[0]


def chosen(plan: str, market: str = "", **wishes: object) -> tuple[ChosenMarket, ...]:
    symbols = ["BTCUSDT"] if plan is ONE else ["BTCUSDT", "ETHUSDT"]
    rules = shipped_instruments()
    text = plan.replace("MARKET\nsteps", f"{market}\nsteps")
    wanted = Wishes(
        wishes.get("files", ()), wishes.get("prices", {}), wishes.get("seed"),  # type: ignore[arg-type]
    )
    return choose_markets(load_plan("plan.yaml", text.encode()), [rules[name] for name in symbols], wanted, Path())


def test_without_any_source_every_market_is_invented_and_says_from_where() -> None:
    first, second = chosen(TWO)
    assert first.words == (
        "INVENTED, random walk from 61659.8 (the last trade of BTCUSDT on 2024-08-08), seed 1"
    )
    assert second.words == "INVENTED, random walk from 3000 (the limit price of 'b'), seed 1"
    assert header_words((first, second)) == f"BTCUSDT: {first.words}; ETHUSDT: {second.words}"
    assert next(iter(first.data())) != next(iter(second.data()))


def test_a_price_from_the_command_line_goes_first() -> None:
    market, = chosen(ONE, prices={"BTCUSDT": Decimal("70000.00")}, seed=5)
    assert market.words == "INVENTED, random walk from 70000 (--price BTCUSDT=70000), seed 5"


def test_the_plans_own_start_and_seed_hold_unless_the_command_line_says_otherwise() -> None:
    block = "dryrun: {market: {random: {start: 65000, seed: 9, hours: 1}}}"
    assert "65000" in chosen(ONE, block)[0].words and "seed 9" in chosen(ONE, block)[0].words
    assert "seed 3" in chosen(ONE, block, seed=3)[0].words
    assert chosen(ONE, block)[0].identity != chosen(ONE, block, seed=3)[0].identity


def test_a_symbol_that_nothing_is_known_of_asks_for_a_price() -> None:
    plan = ONE.replace("BTCUSDT", "ETHUSDT").replace("0.004", "0.1")
    rules = shipped_instruments()
    loaded = load_plan("plan.yaml", plan.replace("MARKET\nsteps", "steps").encode())
    with pytest.raises(EnvironmentFault, match="ETHUSDT") as fault:
        choose_markets(loaded, [rules["ETHUSDT"]], Wishes((), {}, None), Path())
    assert "--price ETHUSDT=" in fault.value.hint


def test_one_source_beside_none_is_an_error() -> None:
    block = "dryrun: {market: {BTCUSDT: {path: [{at: 0s, price: 60000}, {at: 1h, price: 60000}]}}}"
    with pytest.raises(EnvironmentFault, match="ETHUSDT"):
        chosen(TWO, block)


def test_one_drawn_market_cannot_stand_for_two_symbols() -> None:
    with pytest.raises(EnvironmentFault, match="BTCUSDT, ETHUSDT"):
        chosen(TWO, "dryrun: {market: {path: [{at: 0s, price: 60000}, {at: 1h, price: 60000}]}}")


def test_one_random_source_invents_each_symbol_by_itself() -> None:
    first, second = chosen(TWO, "dryrun: {market: {random: {hours: 1}}}")
    assert "61659.8" in first.words and "3000" in second.words


def test_a_file_for_an_unnamed_symbol_needs_a_plan_with_one() -> None:
    with pytest.raises(UsageError, match="BTCUSDT, ETHUSDT"):
        chosen(TWO, files=(("", "data.csv"),))


@pytest.mark.parametrize("wishes", [{"files": (("XRPUSDT", "data.csv"),)}, {"prices": {"XRPUSDT": Decimal(1)}}])
def test_symbols_that_the_plan_does_not_trade_are_refused(wishes: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="XRPUSDT is not in the plan"):
        chosen(ONE, "", **wishes)


def test_a_price_for_a_market_that_is_not_invented_is_refused() -> None:
    block = "dryrun: {market: {path: [{at: 0s, price: 60000}, {at: 1h, price: 60000}]}}"
    with pytest.raises(UsageError, match="not invented"):
        chosen(ONE, block, prices={"BTCUSDT": Decimal(1)})


def test_files_of_one_symbol_are_merged_and_known_by_their_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("1,60000,1,60000,1746372780000,true\n")
    second.write_text("2,60001,1,60001,1746372790000,true\n")
    files = (("", str(first)), ("BTCUSDT", str(second)))
    market, = chosen(ONE, files=files)
    assert market.words == f"{first}, 1 trades + {second}, 1 trades"
    assert market.precise
    assert [datum.at_ms for datum in market.data()] == [1746372780000, 1746372790000]
    second.write_text("2,60002,1,60001,1746372790000,true\n")
    assert chosen(ONE, files=files)[0].identity != market.identity


def test_a_plan_without_a_symbol_has_no_market() -> None:
    plan = load_plan("plan.yaml", ONE.replace("MARKET\nsteps", "steps").encode())
    with pytest.raises(EnvironmentFault, match="no symbol"):
        choose_markets(plan, [], Wishes((), {}, None), Path())
