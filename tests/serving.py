"""A web server on this machine for the tests of downloads."""
import contextlib
import http.server
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server.site
        site.requests.append((self.path, self.headers.get('Range')))
        content = site.files.get(self.path.lstrip('/'))
        if content is None:
            return self.send_error(404)
        begin = self._begin(site)
        if begin and begin >= len(content):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        self.send_header('Content-Length', str(len(content) - begin))
        self.send_header('ETag', site.etag)
        self.end_headers()
        # A connection that breaks off: less is sent than was announced.
        self.wfile.write(content[begin:site.breaks.pop(0) if site.breaks else None])

    def _begin(self, site):
        asked = self.headers.get('Range')
        changed = self.headers.get('If-Range') not in (None, site.etag)
        return 0 if asked is None or changed or not site.takes_ranges else int(asked[len('bytes='):-1])

    def log_message(self, *args):
        pass


class Site:
    """What is served: `files` by name.

    `breaks` holds the numbers of bytes after which the next connections break off, `requests` notes (path, range).
    """

    def __init__(self, address):
        self.address = address
        self.files, self.breaks, self.requests = {}, [], []
        self.takes_ranges, self.etag = True, '"1"'


@contextlib.contextmanager
def serving():
    """A `Site` on a free port of 127.0.0.1, until the block ends."""
    server = http.server.HTTPServer(('127.0.0.1', 0), _Handler)
    server.site = Site('http://127.0.0.1:%d/' % server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
