"""Leveraged plans on wild markets: every run ends truthfully, with the exchange's own money to the last digit."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from runner.domain.values import total
from tests.app.plans import played

BALANCE = 500


def wild_plan(seed: int) -> str:
    """Up to four steps of one side, side by side or one after the other, on an invented market of some hours."""
    dice = random.Random(seed)
    side, exits, sign = dice.choice([("BUY", "SELL", 1), ("SELL", "BUY", -1)])
    lines = [
        "version: 1", "name: wild", "defaults: {symbol: BTCUSDT}", "dryrun:", f"  balance: {BALANCE}",
        f"  leverage: {dice.choice([20, 50, 100, 125])}",
        f"  market: {{random: {{start: 60000, volatility: {dice.choice([300, 800, 2000])}%, hours: 3, seed: {seed}}}}}",
        "steps:",
    ]
    waits = [False, *(dice.random() < 0.5 for _ in range(dice.randint(0, 3))), False]
    for number, (after, awaited) in enumerate(pairwise(waits)):
        lines.append(f"  - id: s{number}")
        if after:
            lines.append(f"    after: {{s{number - 1}: any}}")
        lines.append(f"    on_failure: {'continue' if awaited else dice.choice(['flatten', 'stop'])}")
        quantity = f"{dice.randint(20, 300) / 1000:.3f}"
        match dice.choice(["entry", "twap", "bracket", "guarded"]):
            case "twap":
                lines += [
                    "    unprotected: allow",
                    f"    twap: {{side: {side}, quantity: {quantity}, slices: 4, every: {dice.choice([10, 400])}s}}",
                ]
            case "bracket":
                lines += [
                    "    bracket:", f"      side: {side}", f"      quantity: {quantity}", "      entry: {type: MARKET}",
                    "      take_profit: [{distance: 1%, portion: 50%}, {distance: 6%, portion: 50%}]",
                    f"      stop_loss: {{distance: {dice.choice([1, 4, 8])}%}}",
                ]
            case kind:
                lines += [
                    "    unprotected: allow", f"    entry: {{side: {side}, quantity: {quantity}, type: MARKET}}",
                ]
                if kind == "guarded":
                    lines += [
                        f"  - id: g{number}", f"    after: {{s{number}: first_fill}}", "    oco:",
                        f"      side: {exits}", f"      quantity: {{filled: s{number}}}",
                        f"      take_profit: {{price: {60000 + sign * 1500}}}",
                        f"      stop_loss: {{stop_price: {60000 - sign * 2500}}}",
                    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seeds", [range(start, start + 8) for start in range(0, 32, 8)], ids=lambda seeds: seeds.start)
def test_a_leveraged_run_ends_truthfully_with_the_exchanges_own_money(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        report, snapshot = played(wild_plan(seed), tmp_path)
        summary = report.summary()
        (balance,) = snapshot.balances
        assert balance.wallet - BALANCE == total(money.net for money in summary.money), seed
        assert balance.wallet >= 0, seed
        assert {one.symbol: one.qty for one in snapshot.positions} == {
            one.symbol: one.qty for one in summary.positions
        }, seed
        assert summary.orders < 100, seed
        if summary.liquidated:
            assert (summary.outcome, summary.reason in ("liquidated", "deleveraged")) == ("failed", True), seed
            assert snapshot.orders == (), seed


def test_the_seeds_have_liquidations_and_whole_lives_among_them(tmp_path: Path) -> None:
    ends = {bool(played(wild_plan(seed), tmp_path)[0].summary().liquidated) for seed in range(10)}
    assert ends == {True, False}


ISOLATED_PLAN = """\
version: 1
name: isolated
defaults: {symbol: BTCUSDT}
account: {leverage: 50, margin_type: ISOLATED}
dryrun:
  balance: 10000
  market:
    path: [{at: 0s, price: 60000}, {at: 40m, price: 57000}]
steps:
  - id: hold
    unprotected: allow
    entry: {side: BUY, quantity: 0.500, type: MARKET}
  - id: out
    after: hold
    when: {delay: 39m}
    exit: {side: SELL, quantity: {position: 100%}, type: MARKET}
"""


def test_an_isolated_position_is_liquidated_while_the_rest_of_the_wallet_stays(tmp_path: Path) -> None:
    """A fall of 5 % is beyond the 2 % that stand for a position at leverage 50, and 1,500 of 10,000 USDT."""
    report, snapshot = played(ISOLATED_PLAN, tmp_path)
    assert report.summary().liquidated
    assert 9_300 < snapshot.balances[0].wallet < 9_500
    crossed, _ = played(ISOLATED_PLAN.replace(", margin_type: ISOLATED", ""), tmp_path)
    assert (crossed.summary().liquidated, crossed.summary().outcome) == ((), "succeeded")
