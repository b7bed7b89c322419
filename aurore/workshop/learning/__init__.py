"""Ouvrir un réseau, l'entraîner, le noter, avec TensorFlow."""

from workshop.learning import offline  # pylint: disable=unused-import  # l'importer suffit
