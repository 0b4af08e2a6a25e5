"""The documents and what is installed: what they promise holds."""
