"""La page de l'étape 5 : ce qu'un visiteur peut demander, et comment on lui répond."""
