"""La recette des deux réseaux embarqués : le corpus, l'entraînement, la récitation. Demande PyTorch."""
