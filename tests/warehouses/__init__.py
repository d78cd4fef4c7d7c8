"""Healing on warehouses: by what stands for them, and by the statements that an adapter is given."""
