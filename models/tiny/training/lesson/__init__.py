"""The page that shows a lesson, what the model sees of it, and what changes its answers."""
