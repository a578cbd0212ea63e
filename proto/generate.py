"""Generate the Python contract: proto/ -> generated/.  With --check, only compare, and fail if anything differs.

The generator is pinned low (grpcio-tools 1.76): what it writes runs with all newer releases of grpcio and protobuf,
not the other way round. It lives in a virtual environment of its own, because it holds protobuf back.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
GENERATED = ROOT.parent / "generated"
INIT = '"""The Haleganada contract. Generated from proto/ by `make proto`; do not edit."""\n'


def generate(out: Path) -> None:
    """Write all modules and stubs for proto/**/*.proto below `out`."""
    well_known = resources.files("grpc_tools") / "_proto"
    outputs = [f"--{kind}_out={out}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    scripts = Path(sys.executable).parent  # protoc looks on PATH only, where a virtual environment need not be
    outputs += [f"--plugin={name}={scripts / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    protos = sorted(str(path) for path in ROOT.rglob("*.proto"))
    if protoc.main(["protoc", f"-I{ROOT}", f"-I{well_known}", *outputs, *protos]) != 0:
        sys.exit("protoc failed; see above")
    for package in (out / "haleganada", out / "haleganada" / "v1"):
        (package / "__init__.py").write_text(INIT, encoding="utf-8")
    (out / "haleganada" / "py.typed").touch()


def differences(fresh: Path, committed: Path) -> list[str]:
    """Names of files that differ, byte for byte, or exist on one side only."""
    names = {
        str(path.relative_to(side))
        for side in (fresh, committed)
        for path in side.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not (fresh / name).is_file()
        or not (committed / name).is_file()
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        if "--check" in sys.argv:
            if stale := differences(fresh, GENERATED):
                sys.exit("generated/ does not match proto/; run `make proto`:\n  " + "\n  ".join(stale))
            return
        shutil.rmtree(GENERATED / "haleganada", ignore_errors=True)
        shutil.copytree(fresh / "haleganada", GENERATED / "haleganada")


if __name__ == "__main__":
    main()
