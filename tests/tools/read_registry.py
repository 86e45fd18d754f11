#!/usr/bin/env python3
"""Reads registries with python-tuf, the reference implementation of The Update Framework.

What the author's side writes must be readable by a client that shares no code with it. For each folder that is named, this refreshes the
metadata, fetches every target that the index lists, and compares lengths and digests. With --bench it also makes a registry of its own with
that program, changes it step by step, and follows each step with one client that remembers what it saw.

Needs python-tuf 7 (`pip install tuf`). No network is used.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

BASE = "file://registry/"


class FolderFetcher(FetcherInterface):
    """Serves a folder. A target that is kept without the digest in its name is found under its plain one."""

    def __init__(self, folder):
        self.folder = folder

    def _fetch(self, url):
        path = self.folder / url.removeprefix(BASE)
        if not path.is_file():
            plain = re.sub(r"^[0-9a-f]{64}\.", "", path.name)
            path = path.with_name(plain)
        if not path.is_file():
            raise DownloadHTTPError(f"{url} is not there", 404)
        yield path.read_bytes()


class Client:
    """A client with a memory, which pins the first root that it is given."""

    def __init__(self, registry):
        self.registry = registry
        self.home = tempfile.TemporaryDirectory()
        roots = sorted((registry / "metadata").glob("*.root.json"), key=lambda path: int(path.name.split(".")[0]))
        self.root = roots[0].read_bytes()

    def read(self):
        """Fetches everything that is listed, and says how many releases that is."""
        home = pathlib.Path(self.home.name)
        (home / "targets").mkdir(exist_ok=True)
        updater = Updater(
            metadata_dir=str(home),
            metadata_base_url=BASE + "metadata/",
            target_dir=str(home / "targets"),
            target_base_url=BASE + "targets/",
            fetcher=FolderFetcher(self.registry),
            bootstrap=self.root,
        )
        updater.refresh()
        index = json.loads(self.fetch(updater, "index/v1.json"))
        for entry in index["entries"]:
            name = entry["name"]
            ending = {"suite": f"{entry['version']}.zip", "host": f"bench-{entry['version']}"}
            path = f"{entry['kind']}/{name}/" + ending.get(entry["kind"], f"{entry['version']}.wasm")
            content = self.fetch(updater, path)
            assert len(content) == entry["bytes"], path
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], path
            custom = updater.get_targetinfo(path).unrecognized_fields["custom"]
            assert custom["name"] == name and custom["version"] == entry["version"], path
            for data in custom.get("data", []):
                content = self.fetch(updater, f"{entry['kind']}/{name}/{data['sha256']}.data")
                assert len(content) == data["bytes"], data["name"]
                assert hashlib.sha256(content).hexdigest() == data["sha256"], data["name"]
        return len(index["entries"])

    @staticmethod
    def fetch(updater, path):
        info = updater.get_targetinfo(path)
        assert info is not None, f"{path} is listed in the index and by no role"
        return pathlib.Path(updater.download_target(info)).read_bytes()


def step_by_step(bench, own):
    """Makes a registry, and reads it after each kind of change."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def run(*arguments):
            done = subprocess.run([bench, "registry", *arguments], cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{arguments}: {done.stderr}"
            return done.stdout

        keys = ["--keys", "keys"]
        driver = str(next((own / "targets/driver/ollama").glob("*.wasm")))
        scorer = str(next((own / "targets/scorer/match").glob("*.wasm")))
        run("init", "reg", "--generate", *keys)
        client = Client(folder / "reg")
        assert client.read() == 0
        run("publish", "reg", driver, *keys)
        assert client.read() == 1
        public = run("key", "acme", *keys).strip()
        run("delegate", "reg", "acme", "--public", public, *keys)
        run("publish", "reg", scorer, "--publisher", "acme", *keys)
        assert client.read() == 2
        suite = str(own.parent / "suites/local-reasoning-mini")
        run("publish", "reg", suite, "--data", "data/arithmetic.jsonl", "--data", "data/tracking.jsonl", *keys)
        assert client.read() == 3
        run("withdraw", "reg", "suite/local-reasoning-mini/1.0.0.zip", *keys)
        assert client.read() == 2
        state = json.loads(run("verify", "reg", "--json"))
        for role in state["roles"]:
            for number, old in enumerate(role["keys"]):
                public = run("key", f"new-{role['name']}-{number}", *keys).strip()
                run("rotate", "reg", role["name"], "--public", public, "--remove", old, *keys)
                assert client.read() == 2, role["name"]
        run("yank", "reg", next(f"driver/ollama/{pathlib.Path(driver).name}" for _ in [0]), "--reason", "a test", *keys)
        run("refresh", "reg", "--tidy", *keys)
        assert client.read() == 2
        assert Client(folder / "reg").read() == 2, "a new client"
        # And what was tampered with is refused, so that reading means something.
        timestamp = folder / "reg/metadata/timestamp.json"
        timestamp.write_text(timestamp.read_text().replace('"version": ', '"version": 9', 1))
        try:
            client.read()
        except RepositoryError:
            return
        raise AssertionError("python-tuf took a timestamp that nobody signed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("registries", nargs="*", type=pathlib.Path, help="folders of registries")
    parser.add_argument("--bench", help="the program, to make a registry with and follow it")
    options = parser.parse_args()
    for registry in options.registries:
        print(f"{registry}: {Client(registry).read()} releases read")
    if options.bench:
        step_by_step(str(pathlib.Path(options.bench).resolve()), options.registries[0].resolve())
        print("a registry was followed through publishing, delegation and new keys")
    return 0


if __name__ == "__main__":
    sys.exit(main())
