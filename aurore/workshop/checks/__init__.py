"""« Mon exercice est-il juste ? » : de petits essais de chaque réponse, et ce qu'il faut en dire."""
