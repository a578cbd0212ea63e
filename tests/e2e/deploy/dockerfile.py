"""Carries out a Dockerfile without a container engine: on a layer over this machine's disk, as root on Linux.

This machine's Python stands for the one of the base image. It knows the instructions that our Dockerfile has.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = Path(sys.base_prefix) / "bin"


@dataclass
class Stage:
    """What one FROM begins. base: an image or another stage. steps: instructions with their arguments, in order."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def parse(path: Path) -> dict[str, Stage]:
    """Return the stages of a Dockerfile by name."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages: dict[str, Stage] = {}
    steps: list[tuple[str, str]] = []  # of ARG before the first stage
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(base)
            steps = stages[name].steps
        else:
            steps.append((word, rest.strip()))
    return stages


class Image:
    """A target of a Dockerfile, built. environment, user, entrypoint, command, health_check: as it says."""

    def __init__(self, dockerfile: Path, target: str, folder: Path) -> None:
        """folder: an empty one on another file system than /, for what is built. Raises CalledProcessError if a step
        fails.
        """
        self._stages, self._sources = parse(dockerfile), dockerfile.parents[2]
        self._layer, self._work = folder / "layer", folder / "work"
        self.environment: dict[str, str] = {}
        self.user, self.folder = "0:0", "/"
        self.entrypoint: list[str] = []
        self.command: list[str] = []
        self.health_check: list[str] = []
        for path in (self._layer, self._work):
            path.mkdir()
        self._run(f"chmod o+x {' '.join(map(str, PYTHON.parents))}")  # it may be in some user's home
        self._apply(target)

    def start(self, *arguments: str, data: Path) -> subprocess.Popen[str]:
        """Start the image as its user, on a disk that is read-only. arguments: instead of its own. data: its volume."""
        return self._start([*self.entrypoint, *(arguments or self.command)], data)

    def check_health(self, data: Path) -> int:
        """Return the exit code of the health check."""
        with self._start(self.health_check, data) as process:
            return process.wait(30)

    def measure(self, path: str) -> int:
        """Return the bytes of the files below a path that were built."""
        files = (self._layer / path.lstrip("/")).rglob("*")
        return sum(file.lstat().st_size for file in files if not file.is_dir())

    def _apply(self, name: str) -> None:
        stage = self._stages[name]
        if stage.base in self._stages:
            self._apply(stage.base)
        for instruction, rest in stage.steps:
            match instruction:
                case "ENV":
                    self.environment |= dict(word.split("=", 1) for word in shlex.split(rest))
                case "USER":
                    self.user = rest
                case "WORKDIR":
                    self.folder = rest
                case "ENTRYPOINT":
                    self.entrypoint = json.loads(rest)
                case "CMD":
                    self.command = json.loads(rest)
                case "HEALTHCHECK":
                    self.health_check = json.loads(rest.partition("CMD ")[2])
                case "COPY" if rest.startswith("--from="):  # all stages share a layer
                    self._apply_apart(rest.removeprefix("--from=").split()[0])
                case "COPY":
                    copy_sources(self._sources, self._layer / self.folder.lstrip("/"))
                case "RUN":
                    self._run(rest)
                case "VOLUME" | "EXPOSE" | "STOPSIGNAL":
                    pass
                case _:
                    raise ValueError(f"unknown instruction {instruction}")

    def _apply_apart(self, name: str) -> None:
        """Carry out another stage, of which only the files count."""
        kept = self.environment, self.user, self.folder
        self.environment, self.user = {}, "0:0"
        self._apply(name)
        self.environment, self.user, self.folder = kept

    def _run(self, command: str) -> None:
        options = f"lowerdir=/,upperdir={self._layer},workdir={self._work}"
        inside = f"export PATH={PYTHON}:$PATH; mkdir -p {self.folder}; cd {self.folder}; {command}"
        subprocess.run(_enter(options, "", inside), check=True, timeout=900, capture_output=True)

    def _start(self, words: list[str], data: Path) -> subprocess.Popen[str]:
        uid, gid = self.user.split(":")
        shutil.chown(data, int(uid), int(gid))
        values = {**self.environment, "HOME": "/data"}
        names = " ".join(
            shlex.quote(f"{name}={value.replace('$PATH', '/usr/bin:/bin')}") for name, value in values.items()
        )
        become = f"setpriv --reuid {uid} --regid {gid} --clear-groups --no-new-privs --bounding-set=-all"
        mounts = f"mount --bind {shlex.quote(str(data))} $root/data\n"
        inside = f"cd {self.folder}; exec {become} env -i {names} {shlex.join(words)}"
        line = _enter(f"lowerdir={self._layer}:/", mounts, inside)
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def can_carry_out(folder: Path) -> bool:
    """Return whether this user and this machine can show a program a layer over the disk. folder: where it would be."""
    try:
        return (
            subprocess.run(_enter(f"lowerdir={folder}:/", "", "true"), capture_output=True, timeout=20).returncode == 0
        )
    except OSError:
        return False


def copy_sources(root: Path, to: Path) -> None:
    """Copy what .dockerignore lets in."""
    for name in (line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")):
        source, target = root / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, target)


def _enter(overlay: str, mounts: str, inside: str) -> list[str]:
    """Return the command line of a script that sees a disk of layers. mounts: what to do to $root before that."""
    outside = (
        "mount -t tmpfs none /mnt; root=/mnt/root; mkdir $root\n"
        f"mount -t overlay -o {shlex.quote(overlay)} overlay $root\n"
        "for name in dev proc sys; do mount --rbind /$name $root/$name; done\n"
        f"mount -t tmpfs -o mode=1777 none $root/tmp\n{mounts}"
        f"exec chroot $root sh -euc {shlex.quote(inside)}"
    )
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", outside]
