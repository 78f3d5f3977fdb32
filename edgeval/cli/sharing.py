"""What a user is told when sharing was left on and the model cannot have it."""

from __future__ import annotations

import click

from edgeval.model import Model


def tell_unshared(model: Model) -> None:
    """One line on stderr for a decoder that must read every prompt whole; nothing for others."""
    if model.reading.dynamic:
        click.echo(
            f"edgeval: the decoder of {model.card()['name']} rounds activations by scales of the "
            f"whole call ({', '.join(model.reading.dynamic)}): a prefix read apart would move "
            "logits, so nothing but image features is shared and every question is read anew with "
            "its clip",
            err=True,
        )
