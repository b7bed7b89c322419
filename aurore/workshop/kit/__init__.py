"""La clé de la salle : tout ce qu'il faut à un après-midi, dans un dossier que l'on copie ou que l'on sert."""
