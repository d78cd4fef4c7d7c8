"""What a terminal shows of the command itself: its help, its completion, and a plan as a tree."""
