"""The contents of files in a bucket of an S3-compatible store: PREFIX/ab/abcdef…, named as on the disk.

obstore speaks S3: it signs, divides large contents, repeats what failed and reads in pieces. Its memory is that of a
few parts. A content is staged on this machine's disk first, so a bucket that does not answer refuses an upload with
UNAVAILABLE, and never leaves half of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from chatd.config.file_settings import BucketSettings
from chatd.config.load import ConfigError
from chatd.files.contents import DIGEST_CHARS, PIECE_BYTES, THUMBNAIL, group_of, thumbnail_name
from chatd.telemetry.log import log

PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2
CONNECT_SECONDS, READ_SECONDS, RETRY_SECONDS, REQUEST_SECONDS = 5, 30, 20, 24 * 3600
RETRIES = 3
PROBE_NAME = "probe"
GROUPS = tuple(f"{number:02x}" for number in range(256))


class BucketReader:
    """A part of an object."""

    file = None

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._pieces = pieces

    def read(self) -> bytes:
        with as_os_errors():
            return bytes(next(self._pieces, b""))

    def close(self) -> None:
        self._pieces = iter(())


class BucketContents:
    """The objects of a bucket."""

    def __init__(self, settings: BucketSettings) -> None:
        from obstore.store import S3Store  # here, because it takes 20 MiB of memory

        self._settings = settings
        options: dict[str, Any] = {}
        if settings.endpoint:
            options["endpoint"] = settings.endpoint
        if settings.access_key:  # without it: the environment's or the machine's own credentials
            options |= {"access_key_id": settings.access_key, "secret_access_key": str(settings.secret_key)}
        self._store = S3Store(
            settings.bucket,
            prefix=settings.prefix or None,
            region=settings.region,
            virtual_hosted_style_request=not settings.endpoint,
            client_options={
                "allow_http": settings.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "read_timeout": timedelta(seconds=READ_SECONDS),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
            **options,
        )

    def prepare(self) -> None:
        """Write, read and remove one object: wrong names and keys are found before the first upload.

        A ConfigError says that the store refuses it. A store that does not answer is only logged.
        """
        import obstore
        from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError

        try:
            obstore.put(self._store, PROBE_NAME, b"chatd")
            obstore.get(self._store, PROBE_NAME).bytes()
            obstore.delete(self._store, PROBE_NAME)
        except (FileNotFoundError, NotFoundError, PermissionDeniedError, UnauthenticatedError) as refused:
            raise ConfigError(f"s3.bucket: {self._settings.bucket} can't be used: {_first_line(refused)}") from None
        except BaseError as problem:  # the store may be down: people can chat without files
            log.error("the bucket for files does not answer", bucket=self._settings.bucket, why=_first_line(problem))

    def keep(self, path: Path, name: str) -> None:
        import obstore

        if not self._has(name):
            with as_os_errors():
                obstore.put(self._store, _key(name), path, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        path.unlink()

    def _has(self, name: str) -> bool:
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        import obstore

        with as_os_errors():
            return int(obstore.head(self._store, _key(name))["size"])

    def open(self, name: str, start: int, end: int) -> BucketReader:
        import obstore

        with as_os_errors():
            found = obstore.get(self._store, _key(name), options={"range": (start, end)})
            return BucketReader(iter(found.stream(min_chunk_size=PIECE_BYTES)))

    def remove(self, digest: str) -> None:
        import obstore

        with as_os_errors():
            obstore.delete(self._store, [_key(thumbnail_name(digest)), _key(digest)])

    def groups(self) -> list[str]:
        return list(GROUPS)

    def sizes(self, group: str) -> dict[str, int]:
        import obstore

        with as_os_errors():
            listed = [one for page in obstore.list(self._store, prefix=group) for one in page]
        found = {str(one["path"]).rpartition("/")[2]: int(one["size"]) for one in listed}
        return {name: size for name, size in found.items() if len(name.removesuffix(THUMBNAIL)) == DIGEST_CHARS}


def _key(name: str) -> str:
    return f"{group_of(name)}/{name}"


@contextmanager
def as_os_errors() -> Iterator[None]:
    """Raise the errors of obstore as OSErrors, as a disk would."""
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise FileNotFoundError(_first_line(error)) from None
    except BaseError as error:
        raise OSError(_first_line(error)) from None


def _first_line(error: Exception) -> str:
    """The sentence of an error, without the debugging output that follows it."""
    return str(error).partition("\n")[0].strip()
