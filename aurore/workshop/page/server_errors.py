"""Ce que répond le serveur quand une demande n'arrive pas jusqu'à Flask : les mêmes phrases que la page."""

import json

from markupsafe import escape
from waitress.task import ErrorTask

from workshop.page import error_codes
from workshop.page.contract import ERRORS
from workshop.page.guards import HEADERS

SAME_AS = {431: 413, 501: 405}   # des codes que seul le serveur donne, et celui dont la phrase convient


class OurErrorTask(ErrorTask):
    """Répond à une demande que waitress refuse."""

    def execute(self) -> None:
        """Écrit la réponse."""
        error = self.request.error
        known = SAME_AS.get(error.code, error.code)
        title, sentence = ERRORS.get(known, ERRORS[500 if known >= 500 else 400])
        body, kind = _body(getattr(self.request, "path", ""), known, title, sentence)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", kind), *HEADERS.items()])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


def _body(path: str, status: int, title: str, sentence: str) -> tuple[bytes, str]:
    """Renvoie la réponse, et son type : du JSON pour l'API, une page pour les autres."""
    if path.startswith((error_codes.API, error_codes.OPENAI)):
        data = error_codes.as_json(path, status, error_codes.of_status(status), sentence)
        return json.dumps(data, ensure_ascii=False).encode(), "application/json"
    page = (f'<!doctype html><html lang="fr"><meta charset="utf-8"><title>{escape(title)} – Aurore</title>'
            f"<h1>{escape(title)}</h1><p>{escape(sentence)}</p></html>")
    return page.encode(), "text/html; charset=utf-8"
