"""Numbers on the command line that are numbers."""

from __future__ import annotations

import math

import click


class FiniteRange(click.FloatRange):
    """As FloatRange, which lets nan through and knows no end: both are refused."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number to count with.", param, ctx)
        return number
