"""What stands for a warehouse: programs that the Python of its environment runs, and a proxy."""
