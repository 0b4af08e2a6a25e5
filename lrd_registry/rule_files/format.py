"""The fixed points of the rule-file format, known to all that read such files."""

FORMAT = 1
"""The version of the format that this release reads."""

SINGLE_LAYOUT = "default"
"""The name of the layout of a file that writes `layers` or `parts`, without `layouts`."""

TABLES_OF_NUMBERS = ("every",)
"""The keys below which numbers are keys too."""

LAYOUT_KEYS = ("layers", "parts", "outside", "waivers")
"""What such a file writes at its top."""

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 16
MAX_VALUES = 20_000
"""The bounds on a file, with keys among the values: one from a stranger costs little to read."""
