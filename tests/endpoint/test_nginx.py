"""The published directory behind stock nginx: the same bytes, and 304 to whoever has them."""

import http.client
import os
import socket
import subprocess
import time

from service import OTHER, Answer, Published
import verdict

CONFIGURATION = """
pid {base}/nginx.pid;
error_log {base}/error.log;
events {{ }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {base}/body;
    proxy_temp_path {base}/proxy;
    fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi;
    scgi_temp_path {base}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {root};
    }}
}}
"""


def leave_root():
    os.setgroups([])
    os.setgid(OTHER)
    os.setuid(OTHER)


class Nginx(Published):
    def setUp(self):
        super().setUp()
        self.body = self.publish()
        base = self.dir / "nginx"
        base.mkdir()
        os.chown(base, OTHER, OTHER)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        configuration = base / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(base=base, port=self.port, root=self.public))
        self.nginx = subprocess.Popen(["/usr/sbin/nginx", "-e", base / "error.log", "-c", configuration, "-g", "daemon off;"],
                                      preexec_fn=leave_root, stderr=subprocess.PIPE)
        self.addCleanup(self.stop)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except ConnectionRefusedError:
                if time.monotonic() > end or self.nginx.poll() is not None:
                    self.fail(f"nginx does not start: {(base / 'error.log').read_text()}")
                time.sleep(0.02)

    def stop(self):
        self.nginx.terminate()
        self.nginx.communicate(timeout=10)

    def get(self, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/v1/policy.json", headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def test_the_same_bytes(self):
        theirs, ours = self.get(), self.start().request()
        self.assertEqual((theirs.status, theirs.body), (200, self.body))
        self.assertEqual(ours.body, theirs.body)
        for name in ("Content-Type", "Content-Length", "Last-Modified"):
            self.assertEqual(ours.header(name), theirs.header(name), name)

    def test_304_until_the_next_publication(self):
        # Publications often have one size and follow each other within a second: nginx's ETag is mtime and size.
        for _ in range(4):
            tag = self.get().header("ETag")
            again = self.get({"If-None-Match": tag})
            self.assertEqual((again.status, again.body), (304, b""))
            size = len(self.body)
            self.body = self.publish()
            self.assertEqual(len(self.body), size)
            answer = self.get({"If-None-Match": tag})
            self.assertEqual((answer.status, answer.body), (200, self.body))

    def test_the_publishers_lock_and_leftovers_are_not_in_the_way(self):
        (self.public / "v1" / ".policy.json.new").write_text("of a publisher that was killed")
        self.assertEqual(self.get().body, self.body)
        self.body = self.publish()
        self.assertEqual(self.get().body, self.body)


if __name__ == "__main__":
    verdict.main()
