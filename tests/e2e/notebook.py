"""The notebook, executed: python -m tests.e2e.notebook writes its outputs anew, in an environment with torch."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "using" / "notebook.ipynb"
_LONGEST_CELL_S = 180
_KERNEL = "haleganada"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        notebook = run_notebook(Path(folder))
    nbformat.write(notebook, NOTEBOOK)  # type: ignore[no-untyped-call]


def load_notebook() -> nbformat.NotebookNode:
    """Return the notebook with the outputs that it was committed with."""
    notebook: nbformat.NotebookNode = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def run_notebook(folder: Path, python: str = sys.executable) -> nbformat.NotebookNode:
    """Run the notebook with an environment's Python; return it with its outputs. All that it writes is below a folder,
    its temporary files in folder/tmp. Raises CellExecutionError.
    """
    notebook = load_notebook()
    (folder / "tmp").mkdir()
    kernel = AsyncKernelManager(
        kernel_name=_KERNEL,
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(_kernel_of(python, folder))]),
        connection_file=str(folder / "connection.json"),
    )
    where = {"metadata": {"path": str(folder)}}
    metadata = notebook.metadata.copy()
    client = NotebookClient(
        notebook, km=kernel, resources=where, timeout=_LONGEST_CELL_S, record_timing=False, coalesce_streams=True
    )
    client.execute(cleanup_kc=True)  # else it leaves a kernel alone that it was given
    notebook.metadata = metadata  # which named this Python
    return notebook


def _kernel_of(python: str, folder: Path) -> Path:
    """A folder of kernels that holds one, of this Python, which leaves nothing in the user's own folders."""
    kernels = folder / "kernels"
    (kernels / _KERNEL).mkdir(parents=True)
    spec = {
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": _KERNEL,
        "language": "python",
        "env": {"IPYTHONDIR": str(folder / "ipython"), "TMPDIR": str(folder / "tmp")},
    }
    (kernels / _KERNEL / "kernel.json").write_text(json.dumps(spec))
    return kernels


if __name__ == "__main__":
    main()
