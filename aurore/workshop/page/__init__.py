"""La page : ce qu'un visiteur peut demander, et comment tous sont servis par un seul réseau."""
