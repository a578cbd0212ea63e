"""An S3 server for tests, on this machine, with a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from unittest import mock

from tests.support.network.ports import HOST

BUCKET = "shared"


def missing_s3() -> str:
    """Why there can be no server; "" if there can."""
    if find_spec("s3fs") is None:
        return "the extra cluster is not installed"
    return "" if find_spec("moto") else "moto is not installed"


@contextmanager
def s3_server() -> Iterator[Mapping[str, str]]:
    """A server with an empty bucket, which the environment names inside the block; yields those variables."""
    import boto3
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        variables = {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "not a secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        with mock.patch.dict(os.environ, variables):
            fsspec.get_filesystem_class("s3").clear_instance_cache()  # of an earlier server
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            yield variables
    finally:
        server.stop()
