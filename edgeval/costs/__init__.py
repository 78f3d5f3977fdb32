"""What a run cost on the machine it ran on: out of records and time lines to figures and words."""
