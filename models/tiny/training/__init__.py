"""How the shipped model is made: data, network, stages, evaluation and card. Never in a wheel."""
