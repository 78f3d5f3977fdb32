"""What the machine is like: one small reader per file, over /proc and /sys, that never fails."""
