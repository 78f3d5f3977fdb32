"""Short films of flat shapes that move, turn colour, spin, come and go in order; all is known."""
