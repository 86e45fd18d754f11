#!/usr/bin/env python3
"""Pushes a plugin to a real OCI registry and installs it from there.

Starts docker-registry (Debian's package of that name; `--registry` names another binary) on a free port of the loopback address, once open
to anybody and once behind a password, and goes the whole way with the program that --bench names: push, be told the digest of a tag,
install by digest, install elsewhere by the lock, be refused. What the registry keeps is compared with the layout that other tools read.
Where `wkg` is installed, it has to read what was pushed, and what it pushes has to be installable. Nothing leaves this machine.
"""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# anna, hunter2
HTPASSWD = "anna:$2b$05$4yz.SsGC4CWFIw4VUMlZB.SUn8FP93RRWfczfxKrT480.JfKTFxKW"


def fail(why):
    sys.exit(f"FAILED: {why}")


def expect(holds, why):
    if not holds:
        fail(why)


class Registry:
    """A registry with a folder of its own; a password file makes it ask who is there."""

    def __init__(self, binary, folder, passwords=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{free.getsockname()[1]}"
        auth = f"auth:\n  htpasswd:\n    realm: test\n    path: {passwords}\n" if passwords else ""
        config = folder / "registry.yml"
        config.write_text(
            f"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {folder / 'data'}\n"
            f"http:\n  addr: {self.host}\n{auth}"
        )
        self.log = open(folder / "registry.log", "w")
        self.process = subprocess.Popen([binary, "serve", str(config)], stdout=self.log, stderr=self.log)

    def __enter__(self):
        host, port = self.host.split(":")
        for _ in range(300):
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return self
            except OSError:
                expect(self.process.poll() is None, "docker-registry does not start")
                time.sleep(0.1)
        fail("docker-registry does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def get(self, path, login=None):
        headers = {"accept": MANIFEST}
        if login:
            headers["authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        with urllib.request.urlopen(urllib.request.Request(f"http://{self.host}/v2/{path}", headers=headers)) as answer:
            return answer.read()


class Home:
    """A user of the program."""

    def __init__(self, bench, folder, **environment):
        folder.mkdir()
        self.bench = bench
        self.environment = {
            "BENCH_HOME": str(folder), "HOME": str(folder), "DOCKER_CONFIG": str(folder), "PATH": os.environ["PATH"],
        } | environment

    def run(self, *arguments):
        done = subprocess.run([self.bench, *arguments], env=self.environment, capture_output=True, text=True)
        return done

    def fine(self, *arguments):
        done = self.run(*arguments)
        expect(done.returncode == 0, f"bench {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def fails(self, code, *arguments):
        done = self.run(*arguments)
        expect(done.returncode == 6 and f"[{code}]" in done.stderr, f"bench {' '.join(arguments)}, no {code}: {done.stderr}")
        return done.stderr


def renamed(home, file, old, new):
    """The component of `file` that calls itself otherwise: registries and the program have their names for themselves."""
    content, wanted = file.read_bytes(), home.environment["BENCH_HOME"] + f"/{new}.wasm"
    for found in re.finditer(old.encode(), content):
        changed = pathlib.Path(wanted)
        changed.write_bytes(content[: found.start()] + new.encode() + content[found.end() :])
        said = home.run("plugin", "inspect", wanted, "--json")
        if said.returncode == 0 and json.loads(said.stdout)["identity"]["name"] == new:
            return changed
    fail(f"{file} keeps its name nowhere")


def check_layout(registry, pinned, component):
    repository, digest = re.fullmatch(r"oci://[^/]+/(.+):[^:@]+@(.+)", pinned).groups()
    raw = registry.get(f"{repository}/manifests/{digest}")
    expect("sha256:" + hashlib.sha256(raw).hexdigest() == digest, "the registry keeps another manifest")
    manifest = json.loads(raw)
    layers = manifest["layers"]
    expect(manifest["mediaType"] == MANIFEST and len(layers) == 1, "the manifest is no manifest of one layer")
    expect(layers[0]["mediaType"] == "application/wasm", "the layer is no component")
    expect(registry.get(f"{repository}/blobs/{layers[0]['digest']}") == component, "the layer has other bytes")
    expect(manifest["config"]["mediaType"] == "application/vnd.wasm.config.v0+json", "the configuration is another's")
    config = json.loads(registry.get(f"{repository}/blobs/{manifest['config']['digest']}"))
    expect((config["architecture"], config["os"]) == ("wasm", "wasip2"), "the configuration is of something else")
    expect(config["layerDigests"] == [layers[0]["digest"]], "the configuration is of another layer")
    expect(config["component"]["exports"] == ["bench:plugin/driver@0.1.0"], "the configuration has other exports")


def open_to_anybody(registry, author, user, other, plugin):
    place = f"oci://{registry.host}/acme/alpaca:1.0"
    pinned = author.fine("plugin", "push", str(plugin), place).strip()
    expect(re.fullmatch(re.escape(place) + "@sha256:[0-9a-f]{64}", pinned), f"a push answers {pinned}")
    expect(json.loads(author.fine("plugin", "push", str(plugin), place, "--json"))["reference"] == pinned, "not the same twice")
    check_layout(registry, pinned, plugin.read_bytes())
    expect(f"bench plugin add {pinned}" in user.fails("oci-unpinned", "plugin", "add", place), "no hint at the digest")
    user.fails("oci-not-found", "plugin", "add", place.replace("1.0", "9.9"))
    user.fails("oci-not-found", "plugin", "add", f"oci://{registry.host}/acme/alpaca@sha256:{'0' * 64}")
    user.fine("plugin", "add", pinned)
    expect(f"registry {pinned}, lock" in user.fine("plugin", "inspect", "alpaca"), "its origin is not told")
    # Another home has the lock alone.
    lock = pathlib.Path(user.environment["BENCH_HOME"]) / "bench.lock"
    shutil.copy(lock, other.environment["BENCH_HOME"])
    other.fine("plugin", "sync")
    other.fine("plugin", "inspect", "alpaca")
    user.fine("plugin", "remove", "alpaca")
    user.fine("plugin", "add", pinned, "--offline")


def behind_a_password(registry, folder, bench, plugin):
    place = f"oci://{registry.host}/acme/alpaca:1.0"
    nobody = Home(bench, folder / "nobody")
    expect("BENCH_OCI_USER" in nobody.fails("oci-denied", "plugin", "push", str(plugin), place), "no hint at logins")
    named = {"BENCH_OCI_HOST": registry.host, "BENCH_OCI_USER": "anna", "BENCH_OCI_PASSWORD": "hunter2"}
    pinned = Home(bench, folder / "by-environment", **named).fine("plugin", "push", str(plugin), place).strip()
    by_file = Home(bench, folder / "by-file")
    auth = base64.b64encode(b"anna:hunter2").decode()
    config = {"auths": {registry.host: {"auth": auth}}}
    (pathlib.Path(by_file.environment["DOCKER_CONFIG"]) / "config.json").write_text(json.dumps(config))
    by_file.fine("plugin", "add", pinned)
    nobody.fails("oci-denied", "plugin", "add", pinned)
    wrong = Home(bench, folder / "wrong", **(named | {"BENCH_OCI_PASSWORD": "wrong-one"}))
    expect("wrong-one" not in wrong.fails("oci-denied", "plugin", "add", pinned), "a password is shown")


def other_tool(wkg, registry, folder, bench, plugin):
    insecure = ["--insecure", registry.host]
    pulled = folder / "pulled.wasm"
    subprocess.run([wkg, "oci", "pull", *insecure, f"{registry.host}/acme/alpaca:1.0", "-o", str(pulled)], check=True)
    expect(pulled.read_bytes() == plugin.read_bytes(), "wkg reads other bytes")
    subprocess.run([wkg, "oci", "push", *insecure, f"{registry.host}/wkg/alpaca:1.0", str(plugin)], check=True)
    user = Home(bench, folder / "of-wkg")
    said = user.fails("oci-unpinned", "plugin", "add", f"oci://{registry.host}/wkg/alpaca:1.0")
    user.fine("plugin", "add", re.search(r"plugin add (oci://\S+@sha256:[0-9a-f]{64})", said).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="the program")
    parser.add_argument("plugin", type=pathlib.Path, help="the driver `ollama`, as a component")
    parser.add_argument("--registry", default="docker-registry", help="the registry's binary")
    arguments = parser.parse_args()
    bench = str(pathlib.Path(arguments.bench).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        author, user, other = (Home(bench, folder / name) for name in ("author", "user", "other"))
        plugin = renamed(author, arguments.plugin, "ollama", "alpaca")
        (folder / "open").mkdir()
        with Registry(arguments.registry, folder / "open") as registry:
            open_to_anybody(registry, author, user, other, plugin)
            wkg = shutil.which("wkg")
            if wkg:
                other_tool(wkg, registry, folder, bench, plugin)
        (folder / "closed").mkdir()
        passwords = folder / "closed" / "passwords"
        passwords.write_text(HTPASSWD + "\n")
        with Registry(arguments.registry, folder / "closed", passwords) as registry:
            behind_a_password(registry, folder, bench, plugin)
    print(f"a plugin went through docker-registry and back{', and through wkg' if wkg else ''}")


if __name__ == "__main__":
    main()
