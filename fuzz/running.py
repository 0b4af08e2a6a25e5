"""One target under atheris, in a process of its own; what it found is kept."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fuzz.documents import ROOT, WORDS, seeds

KEPT = ROOT / ".fuzz"
MEMORY_MB = 200
SLOWEST_SECONDS = 5


@dataclass(frozen=True)
class Run:
    """What one target did: how often it ran, for how long, its memory, and what it found."""

    target: str
    executions: int
    seconds: float
    memory_mb: int
    finds: tuple[Path, ...]
    output: str

    def row(self) -> list[str]:
        """The cells of the table."""
        rate = self.executions / max(self.seconds, 1e-9)
        counts = [f"{self.executions:,}", f"{self.seconds:.0f}", f"{rate:,.0f}"]
        return [f"`{self.target}`", *counts, str(self.memory_mb), str(len(self.finds))]


def run_target(target: str, executions: int, seconds: int, seed: int) -> Run:
    """Run a target so often, or for so long, whatever comes first."""
    finds, corpus = KEPT / "finds" / target, KEPT / "corpus" / target
    for folder in (finds, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    write_corpus(corpus, target)
    before = set(finds.iterdir())
    options = [
        f"-atheris_runs={executions}",
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-timeout={SLOWEST_SECONDS}",
        f"-artifact_prefix={finds}/",
        f"-dict={write_words(KEPT / 'words')}",
        str(corpus),
    ]
    start = time.monotonic()
    command = [sys.executable, "-m", "fuzz.process", target, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took, output = time.monotonic() - start, done.stdout + done.stderr
    found = tuple(sorted(set(finds.iterdir()) - before))
    if done.returncode and not found:
        raise SystemExit(f"{target} did not run:\n{output[-2000:]}")
    runs, memory = _numbers(r"^(?:Done |#)(\d+)", output), _numbers(r"rss: (\d+)Mb", output)
    return Run(target, max(runs), took, max(memory), found, output)


def _numbers(pattern: str, output: str) -> list[int]:
    return [0, *map(int, re.findall(pattern, output, re.MULTILINE))]


def write_corpus(corpus: Path, target: str) -> None:
    """What a target begins with: valid rule files, their names and patterns, or edits of them."""
    for number, content in enumerate(beginnings(target)):
        (corpus / f"seed-{number}").write_bytes(content)


def beginnings(target: str) -> Iterable[bytes]:
    """The inputs that a target begins with."""
    if target == "rule_file":
        return [text.encode() for text in seeds() if len(text) < 4096]
    if target == "mutated_file":
        return [bytes([number, 0, 0, 3, 4, 5]) for number in range(len(seeds()))]
    names = b"blocks.0.attn.qkv.weight\nblocks.11.norm1.bias\npatch_embed.proj.weight\nhead.weight"
    if target == "patterns":
        patterns = (b"blocks.{i}.**", b"**.bias", b"*.{a}.x{b}y*z.**", b"a.**.b.*")
        return [pattern + b"\n" + names for pattern in patterns]
    return [bytes([number]) + names for number in range(8)]


def write_words(path: Path) -> Path:
    """The words of the format, as libFuzzer reads a dictionary."""
    words = [word.encode("utf-8", "surrogatepass") for word in WORDS]
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in words)
    path.write_text("\n".join(lines) + "\n")
    return path
