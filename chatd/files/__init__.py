"""Files: how they come in, where they are, and how they go.

contents.py      where contents are, each once, under its digest: disk.py on the disk, bucket.py in a bucket
staging.py       the contents that arrive, on the disk
media_types.py   the media type of a content, judged by its first bytes
upload_body.py   the body of an upload: multipart, or the content alone
uploads.py       receives an upload: limits, disk, record
resumable.py     uploads that may go on after a break
pictures.py      the size, thumbnail and metadata of pictures; picture_worker.py is the process that reads them
collector.py     removes drafts and contents that no message has

chatd/services/files.py has the rules, chatd/rest/files.py the requests.
"""
