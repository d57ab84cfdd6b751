"""What a live run shows at a terminal: the approval, its lines above a table, and its end."""

import pytest

from tests.cli.live.terminal import terminal
from tests.live.plays import BRACKET
from tests.live.stage import Stage, Trader, until

NAME = BRACKET.split("name: ")[1].split()[0]


@pytest.mark.parametrize("columns", [80, 50])
def test_a_run_is_approved_by_its_name_shown_in_a_table_and_stopped_by_ctrl_c(
    columns: int, stage: Stage, trader: Trader,
) -> None:
    stage.price("60200")
    with terminal(trader, "run", trader.plan(BRACKET), "--mode", "demo", columns=columns) as shown:
        shown.until(f"Type the plan's name, {NAME}")
        assert trader.requests("POST /fapi/v1/order") == []
        shown.type(f"{NAME}\n")
        shown.until("connected")
        until("the entry", lambda: trader.orders()["orders"])
        shown.until("open")
        shown.type("\x03")
        assert shown.code() == 130, shown.text
    assert "stopping: nothing opens any more" in " ".join(shown.text.split())
    assert "^C" not in shown.text.partition("connected")[2]
    assert shown.raw.rstrip().endswith(")") and "\x1b[?25h" in shown.raw, "the cursor is shown again"
    lines = [line for line in shown.text.partition("LIVE ORDERS")[2].splitlines() if "/" not in line]
    longest = max(map(len, lines))
    assert longest <= columns


def test_another_name_approves_nothing(trader: Trader) -> None:
    with terminal(trader, "run", trader.plan(BRACKET), "--mode", "demo") as shown:
        shown.until("Type the plan's name")
        shown.type("yes\n")
        assert shown.code() == 7
    assert "not approved, so nothing was sent" in shown.text
    assert trader.requests("POST /fapi/v1/order") == []


def test_ctrl_c_at_the_question_leaves_with_nothing_sent(trader: Trader) -> None:
    with terminal(trader, "run", trader.plan(BRACKET), "--mode", "demo") as shown:
        shown.until("Type the plan's name")
        shown.type("\x03")
        assert shown.code() == 130
    assert "nothing was sent" in shown.text
    assert trader.requests("POST /fapi/v1/order") == []
