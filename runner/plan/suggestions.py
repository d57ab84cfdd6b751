"""Did-you-mean: the nearest allowed word to a misspelt one."""

from collections.abc import Iterable


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that `word` was probably meant to be, or None."""
    import difflib  # only a faulty plan needs it

    words = list(allowed)
    folded = {known.casefold(): known for known in reversed(words)}
    plain = word.strip().casefold()
    for form in (plain, plain.replace("-", "_").replace(" ", "_"), plain.replace("_", "")):
        if form in folded:
            return folded[form]
    close = difflib.get_close_matches(plain[:64], folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """The hint, or an empty text."""
    meant = nearest(word, allowed)
    return f"did you mean '{meant}'?" if meant is not None else ""


def listed(words: Iterable[str], last: str = "or") -> str:
    """`BUY or SELL`; `keep, close or leave`."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end
