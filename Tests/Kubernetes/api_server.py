"""As much of a Kubernetes API server as lists and watches of EndpointSlices need: versions, bookmarks, tokens, refusals.

kubectl is the real one. What it is answered has the shape that kube-apiserver gives (one line, metadata before items)."""

import contextlib
import http.server
import json
import pathlib
import queue
import socket
import ssl
import threading
import urllib.parse

PATH = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"


def endpoint_slice(name: str, *addresses: str, service: str = "origin") -> dict:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}}, "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        "ports": [{"name": "internal", "port": 9080, "protocol": "TCP"}]}


class Watch:
    """One that is open: what it waits for, and how to end it."""

    def __init__(self, bookmarks: bool):
        self.events, self.bookmarks = queue.Queue(), bookmarks


class APIServer:
    """`refusals`: status by verb (`list`, `watch`), for all or until taken back. `deaf`: requests get no answer at all."""

    def __init__(self, authority: pathlib.Path, namespace: str = "cascade", host: str = "127.0.0.1"):
        self.authority, self.namespace, self.host = authority, namespace, host
        self.port, self.server = 0, None
        self.lock = threading.RLock()
        self.slices: dict[str, dict] = {}
        self.version, self.oldest = 100, 0
        self.changes: list[tuple[int, dict]] = []
        self.watches: list[Watch] = []
        self.tokens = {"first-token"}
        self.refusals: dict[str, int] = {}
        self.requests: list[tuple[str, int]] = []
        # Called before a watch begins: what happens between a list and it.
        self.before_watch = None

    # What a cluster does

    def put(self, slice_: dict):
        with self.lock:
            known = slice_["metadata"]["name"] in self.slices
            self.slices[slice_["metadata"]["name"]] = slice_
            self._say("MODIFIED" if known else "ADDED", slice_)

    def delete(self, name: str):
        with self.lock:
            self._say("DELETED", self.slices.pop(name))

    def compact(self):
        """Forgets the past, and tells everyone who watches that he is too old."""
        with self.lock:
            self.oldest = self.version
            gone = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}
            for watch in self.watches:
                watch.events.put({"type": "ERROR", "object": gone})
                watch.events.put(None)

    def bookmark(self):
        with self.lock:
            mark = {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
                    "metadata": {"resourceVersion": str(self.version)}}
            for watch in self.watches:
                if watch.bookmarks:
                    watch.events.put({"type": "BOOKMARK", "object": mark})

    def _say(self, kind: str, slice_: dict):
        self.version += 1
        whole = {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", **slice_}
        event = {"type": kind, "object": dict(whole, metadata=dict(
            slice_["metadata"], resourceVersion=str(self.version)))}
        self.changes.append((self.version, event))
        for watch in self.watches:
            watch.events.put(event)

    # How it runs

    def start(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api._answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in api.host else socket.AF_INET
            allow_reuse_address = daemon_threads = True

            def handle_error(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority / "ca.crt", self.authority / "ca.key")
        self.server = Server((self.host, self.port), Handler)
        self.port = self.server.server_address[1]
        # Shaking hands is for the connection's own thread.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        with self.lock:
            for watch in self.watches:
                watch.events.put(None)
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def count(self, verb: str, status: int = 200) -> int:
        with self.lock:
            return self.requests.count((verb, status))

    # What it answers

    def _answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        verb = "watch" if query.get("watch") in ("true", "1") else "list"
        status = self._judge(request, url.path, query, verb)
        with self.lock:
            self.requests.append((verb, status))
        with contextlib.suppress(OSError):
            if status != 200:
                self._send(request, status, {
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": f"no: {status}"})
            elif verb == "list":
                self._list(request, query)
            else:
                self._watch(request, query)

    def _judge(self, request, path: str, query: dict, verb: str) -> int:
        if request.headers.get("Authorization", "") not in {f"Bearer {token}" for token in self.tokens}:
            return 401
        if path != PATH.format(self.namespace) or "labelSelector" not in query:
            return 404
        if verb == "watch" and self.before_watch:
            self.before_watch()
        if verb == "watch" and 0 < int(query.get("resourceVersion") or 0) < self.oldest:
            return 410
        return self.refusals.get(verb, 200)

    def _chosen(self, slice_: dict, query: dict) -> bool:
        key, _, value = query["labelSelector"].partition("=")
        return slice_["metadata"]["labels"].get(key) == value

    def _list(self, request, query):
        with self.lock:
            items = [slice_ for slice_ in self.slices.values() if self._chosen(slice_, query)]
            whole = {"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1",
                     "metadata": {"resourceVersion": str(self.version)}, "items": items}
        self._send(request, 200, whole)

    def _watch(self, request, query):
        watch = Watch(query.get("allowWatchBookmarks") == "true")
        since = int(query.get("resourceVersion") or 0)
        with self.lock:
            past = [event for version, event in self.changes if version > since]
            # Without a version it begins with what is there.
            present = [{"type": "ADDED", "object": slice_} for slice_ in self.slices.values()]
            for event in past if since else present:
                watch.events.put(event)
            self.watches.append(watch)
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.close_connection = True
        try:
            while True:
                event = watch.events.get(timeout=float(query.get("timeoutSeconds", 1800)))
                if event is None:
                    break
                if "labels" in event["object"].get("metadata", {}) and not self._chosen(event["object"], query):
                    continue
                line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
                request.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        except queue.Empty:
            pass
        finally:
            with self.lock:
                self.watches.remove(watch)
        request.wfile.write(b"0\r\n\r\n")

    def _send(self, request, status: int, body: dict):
        data = json.dumps(body, separators=(",", ":")).encode() + b"\n"
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)
