"""Les gestes d'un visiteur sans JavaScript, avec le client d'essai de Flask."""

import re


def csrf_token(page):
    """Le jeton que porte le formulaire d'une page, en HTML."""
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def token_from(client, path="/generate"):
    """Le jeton qu'un visiteur reçoit avec le formulaire de `path`."""
    return csrf_token(client.get(path).get_data(as_text=True))


def post(client, **fields):
    """Envoie le formulaire comme un navigateur sans JavaScript."""
    return client.post("/generate", data={"csrf_token": token_from(client), **fields})
