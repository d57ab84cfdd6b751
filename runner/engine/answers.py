"""What the exchange's refusals mean to a leg, as one table.

Source: Binance USDⓈ-M Futures, "Error Codes"; -4142 is the newer code of -2021, -4118 that of a reduce-only order
which the margin check refuses because another exit covers the position.  -4130 and -4509 are not on that page; the
exchange's own messages say what they mean: "An open stop or take profit order with GTE and closePosition in the
direction is existing", "Time in Force (TIF) GTE can only be used with open positions".
"""

from enum import StrEnum


class Refusal(StrEnum):
    WOULD_TRIGGER = "would_trigger"  # the trigger is passed already
    POSITION = "position"  # reduce-only, and the exchange sees no position for it, or other exits cover it
    OUT_OF_BAND = "out_of_band"  # the limit lies too far from the mark
    NOT_SEEN = "not_seen"  # a stop of the whole position, and the exchange does not see the position yet
    EXISTS = "exists"  # a stop of the whole position stands on this side already
    DUPLICATE = "duplicate"  # an earlier send of the same id landed
    GONE = "gone"  # the order to be cancelled is no longer open
    TRIGGERING = "triggering"  # it cannot be cancelled at this instant
    PERMANENT = "permanent"  # this request will never be accepted


REFUSALS: dict[int, Refusal] = {
    -2021: Refusal.WOULD_TRIGGER,
    -4142: Refusal.WOULD_TRIGGER,
    -2022: Refusal.POSITION,
    -2024: Refusal.POSITION,
    -4118: Refusal.POSITION,
    -4016: Refusal.OUT_OF_BAND,
    -4024: Refusal.OUT_OF_BAND,
    -4509: Refusal.NOT_SEEN,
    -4130: Refusal.EXISTS,
    -4116: Refusal.DUPLICATE,
    -2011: Refusal.GONE,
    -2013: Refusal.GONE,
    -4117: Refusal.TRIGGERING,
}


def refusal(code: int) -> Refusal:
    """What a refusal with this code means; a code that the table does not know is permanent."""
    return REFUSALS.get(code, Refusal.PERMANENT)
