"""Faire écrire un réseau, avec NumPy."""
