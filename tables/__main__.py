"""Print the tables of one subject, or write all of them into README.md and docs/."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from tables import libraries, numbering
from tables.markdown import replaced, tables_in

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SUBJECTS: dict[str, Callable[[], dict[str, str]]] = {
    "libraries": libraries.tables,
    "numbering": numbering.tables,
}


def main() -> None:
    """Run `python -m tables SUBJECT` or `python -m tables --write`."""
    parser = argparse.ArgumentParser(prog="python -m tables", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("subject", nargs="?", choices=SUBJECTS)
    what.add_argument("--write", action="store_true", help="write all tables to their places")
    arguments = parser.parse_args()
    logging.getLogger("timm").setLevel(logging.ERROR)
    if arguments.write:
        write()
    else:
        print("\n".join(SUBJECTS[arguments.subject]().values()), end="")


def write() -> None:
    """Put every table where the documents have a place for it."""
    tables = {name: text for make in SUBJECTS.values() for name, text in make().items()}
    for path in DOCUMENTS:
        document = path.read_text()
        for name in tables_in(document).keys() - tables.keys():
            sys.exit(f"{path.name}: no table is called {name!r}; there are {', '.join(tables)}")
        if document != (new := replaced(document, tables)):
            path.write_text(new)


if __name__ == "__main__":
    main()
