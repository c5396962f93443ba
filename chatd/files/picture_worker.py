"""A process that reads one picture: `python -m chatd.files.picture_worker SOURCE TARGET THUMBNAIL MAX_PIXELS`.

It prints JSON: the width and height as people see the picture, and whether it wrote TARGET: the picture without its
metadata (where it was taken, with what), and turned as the metadata says. It writes THUMBNAIL, a WebP. The exit code is
EXIT_REFUSED for a picture that can't be read; the reason is on standard error.

Its memory and CPU time are limited. A picture that breaks the limits, or Pillow, ends this process and nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import sys

MAX_MEMORY_BYTES = 1 << 30
MAX_CPU_SECONDS = 20
THUMBNAIL_SIZE = (1200, 800)
THUMBNAIL_QUALITY, JPEG_QUALITY, WEBP_QUALITY = 80, 92, 92
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
EXIT_REFUSED = 3
WORKER_VERB = "picture-worker"
"""The first argument of the one-file program, which has no `-m`."""
NICENESS = 10
METADATA = ("comment", "exif", "xmp", "photoshop", "XML:com.adobe.xmp", "Raw profile type exif")


def main(arguments: list[str]) -> int:
    source, target, thumbnail, max_pixels = arguments
    os.nice(NICENESS)  # the server goes first
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    try:
        found = read_picture(source, target, thumbnail, int(max_pixels))
    except Exception as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return EXIT_REFUSED
    print(json.dumps(found))
    return 0


def read_picture(source: str, target: str, thumbnail: str, max_pixels: int) -> dict[str, int | bool]:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # checked here, before any pixel is read
    with Image.open(source, formats=FORMATS) as picture:
        if max_pixels and picture.width * picture.height > max_pixels:
            raise ValueError(f"it has more than {max_pixels:,} pixels")
        picture.load()
        is_animated = getattr(picture, "is_animated", False) and picture.format != "MPO"
        has_metadata = picture.format != "GIF" and (
            picture.format == "MPO"  # a JPEG of several pictures, as telephones make it: the first one is kept
            or bool(picture.getexif() or getattr(picture, "text", None))
            or any(name in picture.info for name in METADATA)
        )
        turned = picture if is_animated else ImageOps.exif_transpose(picture)
        if has_metadata:
            save_without_metadata(picture, turned, target, is_animated=is_animated)
        small = turned.convert("RGBA" if "A" in turned.getbands() or "transparency" in turned.info else "RGB")
        small.thumbnail(THUMBNAIL_SIZE)
        small.info = {}
        small.save(thumbnail, "WEBP", quality=THUMBNAIL_QUALITY, exif=b"", xmp=b"")
        return {"width": turned.width, "height": turned.height, "changed": has_metadata}


def save_without_metadata(picture: object, turned: object, target: str, *, is_animated: bool) -> None:
    """Save a picture with its colours and frames, and nothing else."""
    from PIL import Image

    assert isinstance(picture, Image.Image)
    assert isinstance(turned, Image.Image)
    profile = picture.info.get("icc_profile")
    options: dict[str, object] = {"exif": b"", **({"icc_profile": profile} if profile else {})}
    form = "JPEG" if picture.format == "MPO" else picture.format
    if form == "JPEG":
        options |= {"quality": JPEG_QUALITY, "optimize": True}
    elif form == "WEBP":
        options |= {"quality": WEBP_QUALITY, "xmp": b""}
    if is_animated:
        options |= {
            "save_all": True,
            "duration": picture.info.get("duration", 100),
            "loop": picture.info.get("loop", 0),
        }
    for name in METADATA:
        turned.info.pop(name, None)
    turned.save(target, form, **options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
