"""The settings of files: rows of the table in chatd/config/settings.py."""

from __future__ import annotations

from typing import Annotated, Literal

from chatd.config.addresses import HttpUrl
from chatd.config.kinds import Choice, ListSetting, MediaType, Name, SecretText, Text
from chatd.config.quantities import Duration, Size, WholeNumber
from chatd.config.section import MIB, Section

TEXT_OF_TYPES = (
    "image/png image/jpeg image/gif image/webp audio/* video/* text/plain application/pdf application/zip "
    "application/gzip"
)
DEFAULT_TYPES = tuple(TEXT_OF_TYPES.split())


class FileSettings(Section, frozen=True, kw_only=True):
    """Files that users upload."""

    store: Annotated[
        Literal["disk", "s3"],
        Choice("disk: the data directory. s3: the bucket in the section [s3].", words=("disk", "s3")),
    ] = "disk"
    max_bytes: Annotated[int, Size("The largest file; 0 for no limit.", live=True)] = 25 * MIB
    user_bytes: Annotated[int, Size("The files of one user, in all; 0 for no limit.", live=True)] = 1024 * MIB
    total_bytes: Annotated[int, Size("The files of all users, in all; 0 for no limit.", live=True)] = 0
    day_bytes: Annotated[int, Size("The files of one user within 24 hours; 0 for no limit.", live=True)] = 0
    types: Annotated[
        tuple[str, ...],
        ListSetting(
            "The media types that are accepted, judged by the content of a file. `image/*` is all types of images, "
            "`*/*` is every type.",
            live=True,
            each=MediaType(),
        ),
    ] = DEFAULT_TYPES
    max_pixels: Annotated[int, WholeNumber("The most pixels of a picture; 0 for no limit.", live=True)] = 50_000_000
    link_ttl: Annotated[float, Duration("How long a signed link to a file is valid.", live=True)] = 3600.0
    uploads: Annotated[int, WholeNumber("The most unfinished uploads of a user; 0: any number.", live=True)] = 100
    draft_hours: Annotated[
        int, WholeNumber("Hours after which a file that no message has is removed.", minimum=1, live=True)
    ] = 24


class BucketSettings(Section, frozen=True, kw_only=True):
    """The bucket for files, if files.store is "s3": of Amazon, or of a store that speaks its S3 protocol."""

    endpoint: Annotated[str, HttpUrl("The URL of the store; empty for Amazon.")] = ""
    bucket: Annotated[
        str,
        Name("The name of the bucket.", noun="the name of a bucket", pattern=r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?"),
    ] = ""
    region: Annotated[str, Text("The region of the bucket.", noun="a region such as eu-central-1")] = "us-east-1"
    prefix: Annotated[str, Text("What the names of all objects begin with.", noun="a path such as chat")] = ""
    access_key: Annotated[
        str, Text("The id of the access key; empty: AWS_ACCESS_KEY_ID, or the role of the machine.", noun="a key id")
    ] = ""
    secret_key: Annotated[str, SecretText("The secret of the access key.")] = ""
