"""The same tests at both ends of what `pyproject.toml` admits: `nox -s lowest`, `pinned`, `newest`.

`docs/versions.md` has what was run, and when a bound is raised.
"""

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lowest", "pinned", "newest"]

MINORS = ["2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13"]


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """The oldest Python, and exactly the lower bounds of `pyproject.toml`."""
    _run(session, "--resolution", "lowest-direct")


@nox.session(python="3.11")
def pinned(session: nox.Session) -> None:
    """The versions of `constraints.txt`, in an environment of their own."""
    _run(session, "--constraint", "constraints.txt")


@nox.session(python="3.13")
def newest(session: nox.Session) -> None:
    """Whatever the registry has today."""
    _run(session, "--upgrade")


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def python(session: nox.Session) -> None:
    """The versions of `constraints.txt` on each Python."""
    _run(session, "--constraint", "constraints.txt")


@nox.session(python="3.11")
@nox.parametrize("minor", MINORS)
def torch(session: nox.Session, minor: str) -> None:
    """Each minor of torch between the ends; all else is as new as it lets it be."""
    _run(session, f"torch=={minor}.*", tests="not slow and not library")


def _run(session: nox.Session, *how: str, tests: str = "not slow") -> None:
    session.install(*how, "--editable", ".[test]")
    session.run("python", "-m", "tests.support.releases")
    workers = ["-n", "auto", "--maxprocesses", "8"]
    session.run("python", "-m", "pytest", *workers, "-m", tests, *session.posargs)
