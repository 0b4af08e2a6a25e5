"""One piece at a time, on small things."""
