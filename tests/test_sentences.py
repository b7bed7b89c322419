"""Des phrases françaises entières."""

import pytest

from workshop.text.sentences import finished, french_sentence_tokenizer, mend_sentences


def split(text):
    """Coupe `text` comme le fait l'étape 1."""
    return mend_sentences(french_sentence_tokenizer().tokenize(text))


@pytest.mark.parametrize("text, expected", [
    ("M. Dupin sortit. Il pleuvait.", ["M. Dupin sortit.", "Il pleuvait."]),
    ("Mme. de R... parut. Mlle. Rose suivit.", ["Mme. de R... parut.", "Mlle. Rose suivit."]),
    ("Vve. Dupont vint. Il pleuvait.", ["Vve. Dupont vint.", "Il pleuvait."]),
    ("Le no. 5 vint. Voyez l'art. IV, fig. 2. Il rit.", ["Le no. 5 vint.", "Voyez l'art. IV, fig. 2.", "Il rit."]),
    ("Il prit son vol. Il aimait l'art. L'ami rit.", ["Il prit son vol.", "Il aimait l'art.", "L'ami rit."]),
    ("Cf. Le Tartuffe, et voy. Racine. Var. 1682: mélancholique.",
     ["Cf. Le Tartuffe, et voy. Racine.", "Var. 1682: mélancholique."]),
    ("«Oh! dit-il. Venez!»", ["«Oh! dit-il.", "Venez!»"]),
    ("Il cria: «Venez!» Puis il partit.", ["Il cria: «Venez!»", "Puis il partit."]),
    ("— Vous ici? fit-elle. — Oui.", ["— Vous ici? fit-elle.", "— Oui."]),
    ("Il hésita... Puis il partit. Elle se tut... Jeanne sortit.",
     ["Il hésita...", "Puis il partit.", "Elle se tut...", "Jeanne sortit."]),
    ("Venez!... Le loup! Quoi?... Il dit... enfin, il rit.",
     ["Venez!...", "Le loup!", "Quoi?...", "Il dit... enfin, il rit."]),
    ("Mme de R... vint. M. de Gr... Dupont sourit. À R... Il pleuvait. J... Je ne sais.",
     ["Mme de R... vint.", "M. de Gr... Dupont sourit.", "À R...", "Il pleuvait.", "J... Je ne sais."]),
    ("Il coûte 1 fr. 25. Il vint à 9 h. 30, vers 8 h. Le soir tombait.",
     ["Il coûte 1 fr. 25.", "Il vint à 9 h. 30, vers 8 h.", "Le soir tombait."]),
    ("«Je suis Jean W. Martin.» LL. MM. sortirent. Il lut l'éd. Martin. C'était au t. Ier, p. 12, en janv. 1834.",
     ["«Je suis Jean W. Martin.»", "LL. MM. sortirent.", "Il lut l'éd. Martin.",
      "C'était au t. Ier, p. 12, en janv. 1834."]),
    ("S. A. R. Madame vint. L'an 50 av. J.-C. finit. Th. Gautier et V. Hugo rirent. P.-S. Venez.",
     ["S. A. R. Madame vint.", "L'an 50 av. J.-C. finit.", "Th. Gautier et V. Hugo rirent.", "P.-S. Venez."]),
    ("Ils étaient sept. Jeanne rit. Henri IV. Martin vint. Il y en a. Jean rit.",
     ["Ils étaient sept.", "Jeanne rit.", "Henri IV.", "Martin vint.", "Il y en a.", "Jean rit."]),
    ("Voyez Martin, lib. III. Il cite le cap. 12, et II. c'est peu. Il rit.",
     ["Voyez Martin, lib. III.", "Il cite le cap. 12, et II. c'est peu.", "Il rit."]),
    ("Il vint (quel jour! ), puis (le soir.) Elle rit. Il dormait. —", ["Il vint (quel jour!), puis (le soir.)",
                                                                "Elle rit.", "Il dormait. —"]),
])
def test_sentences_are_whole(text, expected):
    assert split(text) == expected


@pytest.mark.parametrize("pieces, expected", [
    (["Oh!", "dit-il."], ["Oh! dit-il."]),
    (["«", "Venez.", "»"], ["«Venez.»"]),
    (["Venez.", "» Il partit."], ["Venez.»", "Il partit."]),
    (["Je vis M.", "Dupin."], ["Je vis M. Dupin."]),
    (["V.", "Jeanne partit."], ["V.", "Jeanne partit."]),
    (["Il aimait l'art.", "Elle aussi."], ["Il aimait l'art.", "Elle aussi."]),
    (["Je vis Mrs.", "Pitt."], ["Je vis Mrs. Pitt."]),
    (["par George Sand"], ["Par George Sand"]),
    (["Il dit.", "...", "Puis rien."], ["Il dit. ...", "Puis rien."]),
    (["", "  "], []),
])
def test_broken_sentences_are_mended(pieces, expected):
    assert mend_sentences(pieces) == expected


def test_an_endless_sentence_is_mended_in_one_pass():
    assert len(mend_sentences(["et puis."] * 200_000)) == 1


@pytest.mark.parametrize("text, expected", [
    ("Il pleuvait. Elle dit: «Entrez!» Puis elle se", "Il pleuvait. Elle dit: «Entrez!»"),
    ("Il vit M. Dupin. Et M.", "Il vit M. Dupin."),
    ("Cette femme était assise sur un ban", "Cette femme était assise sur un..."),
    ("Finie.", "Finie."),
    ("Elle vint. Le no. 5 était pour la Vve. Dupont", "Elle vint."),
    ("Oui. " * 20_000 + "Bon", ("Oui. " * 20_000).rstrip()),
    ("Elle vint. «Oh! dit", "Elle vint."), ("Il vit Jean W. Mar", "Il vit Jean W...."),
    ("Il hésita... Puis", "Il hésita..."), ("Il vint. Mme de R...", "Il vint."), ("Il vint. —", "Il vint."),
])
def test_a_text_ends_on_a_finished_sentence(text, expected):
    assert finished(text) == expected


@pytest.mark.parametrize("text", [
    "M. Dupin vint. «Oh! dit-il. Venez!» Il hésita... Puis il partit. Mme de R... rit. J.-J. Rousseau lut l'art. 5.",
    "Il paya 1 fr. 25. — Vous ici? fit-elle. — Oui! Non!... Jeanne W. Martin sortit (sans bruit.) Il pleuvait, etc.",
])
def test_a_text_is_finished_where_the_splitter_cuts_it(text):
    """Où que l'on arrête d'écrire, ce qui est fini est fait des phrases entières, et d'elles seules."""
    for length in range(1, len(text) + 1):
        written = text[:length]
        *whole, last = split(written)
        last = last.rstrip(" —")  # le tiret qui ouvre la réplique suivante
        if finished(last) == last:
            whole.append(last)
        if whole:
            assert finished(written) == " ".join(whole)


@pytest.mark.parametrize("opening, rest, expected", [
    ("Un roi. Sa fille", " chantait dans les", "Un roi. Sa fille chantait dans..."),
    ("Un roi. Sa fille", " chantait. Puis", "Un roi. Sa fille chantait."),
    ("Bonjour", "", "Bonjour..."),
    ("Un roi. Sa fille", "", "Un roi. Sa fille..."),
    ("Un roi. Un matin,", " la", "Un roi. Un matin,..."),
])
def test_the_opening_is_never_cut(opening, rest, expected):
    assert finished(opening + rest, start=len(opening)) == expected
