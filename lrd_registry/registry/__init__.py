"""Names → rule sets: bundled, from installed packages, in the user's directories, registered."""
