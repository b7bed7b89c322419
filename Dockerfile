FROM python:3.11-slim

# Rien de compilé dans le volume (il appartiendrait à root), et un affichage sans retard.
# La page doit être joignable de l'extérieur du conteneur.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    AURORE_HOST=0.0.0.0 \
    AURORE_PORT=80

# Les bibliothèques dans une couche à part : modifier un script ne les réinstalle pas.
COPY requirements.txt /requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --requirement /requirements.txt

COPY docs /docs
COPY aurore /aurore
WORKDIR /

EXPOSE 80
# « docker stop » arrête un script comme Ctrl-C ; Python, premier processus, ignorerait SIGTERM.
STOPSIGNAL SIGINT
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(f'http://127.0.0.1:{os.environ[\"AURORE_PORT\"]}/health', timeout=4)"]

CMD ["python", "aurore/5_flask.py"]
