"""Pillow's decoders, loaded when the server starts, and their errors.

Pillow imports a decoder when the first picture needs it. Without a free file descriptor that import fails, and a sound
picture would seem to be none.
"""

from __future__ import annotations

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from haleganada_server.core.machine_errors import no_memory, raise_machine_error

from .other_headers import OPTIONAL_FORMATS

Image.preinit()

LOADED = (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""MPO: JPEGs of some cameras. TIFF: also the format of EXIF tags."""
if "AVIF" in OPTIONAL_FORMATS:
    from PIL import AvifImagePlugin  # noqa: F401 - registers its decoder
_NO_MEMORY_TEXT = "out of memory"  # Pillow's word for a decoder's own error code; it has no error number


def raise_if_machine_failed(error: Exception) -> None:
    """Raise Exhausted or Unavailable if a picture could not be decoded because of the machine; do nothing if it is the
    picture's fault.
    """
    raise_machine_error(error)
    if isinstance(error, OSError) and _NO_MEMORY_TEXT in str(error):
        raise no_memory() from None
