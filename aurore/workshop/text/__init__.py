"""Du fichier de Project Gutenberg à des phrases françaises propres."""
