"""Runs that are killed again and again, and taken on each time until they end."""

import time
from dataclasses import dataclass
from random import Random

from runner.domain.events import RunResumed, RunStarted
from tests.live.judge import Verdict, journal, judge, truth
from tests.live.plays import PLAYS, Director
from tests.live.stage import Ended, Running, Stage, Trader

PROTECTED_WITHIN_MS = 2_000
"""The plans' own bound, which is the language's default."""
NAMES = ("bracket", "bracket stopped", "oco", "oco stopped", "twap", "twap stopped")


@dataclass(slots=True)
class Survived:
    """What became of a run that was killed `kills` times."""

    ended: Ended
    verdict: Verdict
    kills: int
    unprotected_ms: int
    """The longest time without a stop while a process was at work: from the resume on, where it began before."""

    @property
    def well(self) -> bool:
        """As planned; a run that was killed after its last word has nothing to resume, and says so."""
        had_ended = self.ended.code == 7 and "has ended (succeeded)" in self.ended.err
        return self.verdict.findings == [] and (self.ended.code == 0 or had_ended)


def survive(stage: Stage, trader: Trader, name: str, seed: int, most: int = 3) -> Survived:
    """Play it, with up to `most` kills at moments of the seed's choice, and judge what came of it."""
    rng = Random(seed)
    play = PLAYS[name]
    director = Director(stage, trader, play)
    plan = trader.plan(play.plan)
    approval = trader.approval(plan)
    running = trader.run(plan, approval=approval)
    died: list[int] = []
    for _ in range(most):
        wanted = len(trader.requests()) + rng.randint(1, 45)
        pause_s = rng.random() * 0.03
        director.until("a moment to kill", lambda: running.ended or len(trader.requests()) >= wanted)  # noqa: B023
        time.sleep(pause_s)  # the moment itself is what the seed chooses
        if running.ended:
            break
        running.kill()
        died.append(time.time_ns() // 1_000_000)
        for _ in range(rng.choice((0, 0, 3, 10))):
            director.act()
        running = again(trader, plan, approval)
    ended = director.end(running)
    verdict = judge(trader)
    opened = truth(trader).filled(reduces=False)
    if opened != play.quantity:
        verdict.findings.append(f"total: opened {opened}, not {play.quantity}")
    return Survived(ended, verdict, len(died), unprotected_ms(trader, verdict, died))


def again(trader: Trader, plan: object, approval: str) -> Running:
    """Resume, or start anew where the run had died before it wrote a word: then nothing can have been sent."""
    if trader.journals() and journal(trader.journals()[-1]):
        return trader.resume()
    assert not truth(trader).ours(), "orders stand on the exchange, and there is no journal"
    return trader.start("run", str(plan), "--mode", "demo", "--approve", approval)


def unprotected_ms(trader: Trader, verdict: Verdict, died: list[int]) -> int:
    """The longest uncovered time, of which what fell between a death and the next life does not count."""
    lives = [
        value.at_ms for path in trader.journals() for value in journal(path)
        if isinstance(value, RunStarted | RunResumed)
    ]
    longest = 0
    for span in verdict.uncovered:
        from_ms = span.from_ms
        for death in died:
            back = min((life for life in lives if life > death), default=span.until_ms)
            if death <= span.until_ms and from_ms <= back:
                from_ms = max(from_ms, back)
        longest = max(longest, span.until_ms - from_ms)
    return longest
