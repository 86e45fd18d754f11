#!/usr/bin/env python3
"""Records one HTTP exchange at the socket, with the boundaries of the reads, as a fixture (plugins/drivers/FIXTURES.md).

    record_traffic.py HOST:PORT METHOD PATH OUT.json --engine NAME --version V [--body JSON|@FILE] [--raw-body TEXT]
                      [--replace OLD=NEW]... [--header NAME:VALUE]... [--abort-after READS]

Plain sockets, because HTTP libraries join or split what the kernel delivered. Transfer chunks are undone and reads that held
nothing but chunk framing are dropped; a read that held several events, or half of one, stays as it was.
"""

import argparse
import json
import socket
import time

HIDDEN = {"date", "set-cookie", "x-request-id"}


class Dechunker:
    """Undoes chunked transfer coding, however the bytes are split."""

    def __init__(self):
        self.pending = b""
        self.left = 0  # bytes of the current chunk still to come
        self.skip = 0  # line end after a chunk
        self.done = False

    def feed(self, data):
        self.pending += data
        out = b""
        while not self.done:
            if self.skip:
                drop = min(self.skip, len(self.pending))
                self.pending, self.skip = self.pending[drop:], self.skip - drop
                if self.skip:
                    return out
            if self.left:
                take = min(self.left, len(self.pending))
                out, self.pending, self.left = out + self.pending[:take], self.pending[take:], self.left - take
                if self.left:
                    return out
                self.skip = 2
                continue
            line, found, rest = self.pending.partition(b"\r\n")
            if not found:
                return out
            self.pending, self.left = rest, int(line.split(b";")[0], 16)
            self.done = self.left == 0
        return out


def exchange(address, method, path, headers, body, abort_after):
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address}", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    sent = time.monotonic_ns()
    head, reads, chunks, length = b"", [], None, None
    while True:
        data = connection.recv(1 << 16)
        at = time.monotonic_ns() - sent
        if not data:
            break
        if length is None:
            head += data
            if b"\r\n\r\n" not in head:
                continue
            head, data = head.split(b"\r\n\r\n", 1)
            status, *fields = head.decode("latin-1").split("\r\n")
            fields = [(name.strip().lower(), value.strip()) for name, _, value in (field.partition(":") for field in fields)]
            if dict(fields).get("transfer-encoding", "").lower() == "chunked":
                chunks = Dechunker()
            length = int(dict(fields).get("content-length", -1))
        payload = chunks.feed(data) if chunks else data
        if payload:
            reads.append((at, payload))
        if (chunks and chunks.done) or sum(len(read) for _, read in reads) == length:
            break
        if abort_after and len(reads) >= abort_after:
            break
    connection.close()
    return int(status.split()[1]), fields, reads


def read_entry(at, payload):
    try:
        return {"at_ns": at, "text": payload.decode("utf-8")}
    except UnicodeDecodeError:
        return {"at_ns": at, "hex": payload.hex()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("method")
    parser.add_argument("path")
    parser.add_argument("out")
    parser.add_argument("--engine", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--body", default="")
    parser.add_argument("--raw-body", default="")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--replace", action="append", default=[])
    parser.add_argument("--abort-after", type=int, default=0)
    args = parser.parse_args()
    text = open(args.body[1:], encoding="utf-8").read() if args.body.startswith("@") else args.body
    body = json.dumps(json.loads(text), ensure_ascii=False).encode() if text else args.raw_body.encode()
    headers = [tuple(part.strip() for part in header.split(":", 1)) for header in args.header]
    if body:
        headers.append(("Content-Type", "application/json"))
    status, fields, reads = exchange(args.address, args.method, args.path, headers, body, args.abort_after)
    fixture = {
        "meta": {
            "engine": args.engine,
            "version": args.version,
            "recorded_from": "real server",
            "request": {"method": args.method, "path": args.path, "body": body.decode()[:2000]},
        },
        "status": status,
        "headers": [[name, value] for name, value in fields if name not in HIDDEN],
        "reads": [read_entry(at, payload) for at, payload in reads],
    }
    rendered = json.dumps(fixture, ensure_ascii=False, indent=1)
    for replacement in args.replace:
        old, new = replacement.split("=", 1)
        rendered = rendered.replace(old, new)
    with open(args.out, "w", encoding="utf-8") as out:
        out.write(rendered + "\n")
    print(f"{args.out}: status {status}, {len(reads)} reads, {sum(len(read) for _, read in reads)} bytes, {len(rendered)} in the file")


if __name__ == "__main__":
    main()
