"""Runs that are killed again and again, and taken on each time until they end."""

import time
from dataclasses import dataclass, field
from random import Random

from tests.live.judge import Verdict, judge, truth
from tests.live.plays import PLAYS, Director
from tests.live.stage import Ended, Running, Stage, Trader

PROTECTED_WITHIN_MS = 2_000
"""The plans' own bound, which is the language's default."""


@dataclass(slots=True)
class Survived:
    """What became of a run that was killed `kills` times; `dead` are the spans in which no process was there."""

    ended: Ended
    verdict: Verdict
    kills: int
    dead: list[tuple[int, int]] = field(default_factory=list)
    unprotected_ms: int = 0
    """The longest time without a stop while a process was there, from the start of its command on."""


def survive(stage: Stage, trader: Trader, name: str, seed: int, most: int = 3) -> Survived:
    """Play it, with up to `most` kills at moments of the seed's choice, and judge what came of it."""
    rng = Random(seed)
    play = PLAYS[name]
    director = Director(stage, trader, play)
    plan = trader.plan(play.plan)
    approval = trader.approval(plan)
    running = trader.run(plan, approval=approval)
    dead: list[tuple[int, int]] = []
    kills = 0
    for _ in range(most):
        seen = len(trader.requests())
        wanted = seen + rng.randint(1, 45)
        pause_s = rng.random() * 0.03
        director.until("a moment to kill", lambda: running.ended or len(trader.requests()) >= wanted)  # noqa: B023
        time.sleep(pause_s)  # the moment itself is what the seed chooses
        if running.ended:
            break
        running.kill()
        kills += 1
        died_ms = now_ms()
        for _ in range(rng.choice((0, 0, 3, 10))):
            director.act()
        running = again(trader, plan, approval)
        dead.append((died_ms, now_ms()))
    ended = director.end(running)
    verdict = judge(trader)
    totals(trader, play.quantity == truth(trader).filled(reduces=False), verdict)
    return Survived(ended, verdict, kills, dead, _unprotected(verdict, dead))


def again(trader: Trader, plan: object, approval: str) -> Running:
    """Resume, or start anew where the run had died before it wrote a word: then nothing can have been sent."""
    if trader.journals() and trader.journals()[-1].stat().st_size:
        return trader.resume()
    assert not truth(trader).ours(), "orders stand on the exchange, and there is no journal"
    return trader.start("run", str(plan), "--mode", "demo", "--approve", approval)


def totals(trader: Trader, whole: bool, verdict: Verdict) -> None:
    if not whole:
        verdict.findings.append(f"total: opened {truth(trader).filled(reduces=False)}, not what the plan says")


def _unprotected(verdict: Verdict, dead: list[tuple[int, int]]) -> int:
    """What of the uncovered times fell into the life of a process: a span that begins while it is dead counts from the
    resume on."""
    longest = 0
    for span in verdict.uncovered:
        back = (until for since, until in dead if since <= span.until_ms and span.from_ms <= until)
        from_ms = max([span.from_ms, *back])
        longest = max(longest, span.until_ms - from_ms)
    return longest


def now_ms() -> int:
    return time.time_ns() // 1_000_000
