"""Opens the folder of staged contents and the store of contents that the configuration names."""

from __future__ import annotations

from pathlib import Path

from chatd.config.settings import Config
from chatd.files.contents import Contents
from chatd.files.disk import DiskContents
from chatd.files.staging import Staging

FILES_FOLDER = "files"


def open_contents(config: Config) -> Contents:
    if config.files.store == "disk":
        return DiskContents(Path(config.data.directory) / FILES_FOLDER)
    from chatd.files.bucket import BucketContents

    return BucketContents(config.s3)


def open_staging(config: Config) -> Staging:
    return Staging(Path(config.data.directory) / FILES_FOLDER / "incoming")
