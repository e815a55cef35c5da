"""Figures. All functions take NumPy arrays; matplotlib is imported when one is called."""
