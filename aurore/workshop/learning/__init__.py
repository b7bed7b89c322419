"""Ouvrir un réseau, l'entraîner, le noter, avec TensorFlow."""
