# -*- coding: utf-8 -*-
"""Mes exercices sont-ils justes ?

    python aurore/verify.py                les quatre
    python aurore/verify.py 3              le troisième
    python aurore/verify.py 3.2            un seul TODO
    python aurore/verify.py --watch        à chaque enregistrement, ce qui a changé et ce qu'il reste à faire
    python aurore/verify.py --hint 3.2     un indice ; --hint 3.2 2 en donne un de plus
    python aurore/verify.py --questions 3  deux questions, une fois l'exercice fini
    python aurore/verify.py --compare 3    votre exercice à côté de la solution
    python aurore/verify.py --reset 3      l'exercice comme au début (une copie du vôtre est gardée)
    python aurore/verify.py --machine      cet ordinateur est-il prêt ?

Chaque réponse est essayée à part, sur de petits exemples : ni réseau, ni étape précédente, quelques
secondes. Le code de sortie est 0 quand tout ce qui est demandé est juste.
"""
# N'importe quel Python doit pouvoir lire ce fichier, pour dire lequel convient.

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "workshop"))
import interpreter  # pylint: disable=import-error,wrong-import-position  # seul : Python 2 ne lit pas le paquet

del sys.path[0]
interpreter.check()

# pylint: disable=wrong-import-position  # pas avant de savoir quel Python c'est
if "--machine" in sys.argv[1:]:  # sans les bibliothèques, qui manquent peut-être
    from workshop.checks.machine import main
else:
    from workshop.checks.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
