"""What is asked besides the score: other ways to ask and to show, and what the answers reveal."""
