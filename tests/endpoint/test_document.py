"""What is served: exactly what was published, with the headers that belong to it, at once when it changes."""

import hashlib
import os
import socket
import threading

from service import Published
import verdict


def tag(body):
    return '"%s"' % hashlib.sha256(body).hexdigest()


class Document(Published):
    def setUp(self):
        super().setUp()
        self.body = self.publish()
        self.server = self.start()

    def get(self, **headers):
        return self.server.request(headers={name.replace("_", "-"): value for name, value in headers.items()})

    def test_bytes_and_tag(self):
        answer = self.get()
        self.assertEqual((answer.status, answer.body, answer.header("ETag")), (200, self.body, tag(self.body)))

    def test_head_is_get_without_a_body(self):
        get, head = self.server.request("GET"), self.server.request("HEAD")
        self.assertEqual(head.body, b"")
        headers = [{name: value for name, value in answer.headers.items() if name != "Date"} for answer in (get, head)]
        self.assertEqual(*headers)

    def test_if_none_match(self):
        mine = tag(self.body)
        for value in (mine, f"W/{mine}", f'"other", {mine}', f'{mine}, "other"', f',, W/"x" ,{mine} ,', "*", f'"a,b", {mine}'):
            answer = self.get(If_None_Match=value)
            self.assertEqual((answer.status, answer.body), (304, b""), value)
            self.assertEqual(answer.header("ETag"), mine)
        for value in ('"other"', mine.strip('"'), mine.upper(), f'"x" {mine}', "", f'"unclosed, {mine}', f'{mine[:-1]}', "* , *"):
            self.assertEqual(self.get(If_None_Match=value).status, 200, value)

    def test_if_none_match_in_two_fields(self):
        connection = self.server.connect()
        connection.putrequest("GET", "/v1/policy.json")
        connection.putheader("If-None-Match", '"other"')
        connection.putheader("If-None-Match", tag(self.body))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 304)
        connection.close()

    def test_304_is_followed_by_the_next_answer(self):
        connection = self.server.connect()
        for headers, status in (({"If-None-Match": "*"}, 304), ({}, 200), ({"If-None-Match": tag(self.body)}, 304), ({}, 200)):
            connection.request("GET", "/v1/policy.json", headers=headers)
            response = connection.getresponse()
            self.assertEqual((response.status, response.read()), (status, self.body if status == 200 else b""))
        connection.close()

    def test_range_is_ignored(self):
        answer = self.get(Range="bytes=0-3")
        self.assertEqual((answer.status, answer.body), (200, self.body))

    def test_query_is_ignored(self):
        self.assertEqual(self.server.request(path="/v1/policy.json?v=1").body, self.body)

    def test_a_new_publication_is_served_at_once(self):
        for _ in range(5):
            old = self.get().header("ETag")
            body = self.publish()
            answer = self.get(If_None_Match=old)
            self.assertEqual((answer.status, answer.body, answer.header("ETag")), (200, body, tag(body)))

    def test_same_size_and_time_are_still_another_file(self):
        self.file.write_bytes(b"a" * 100)
        stat = self.file.stat()
        first = self.get().body
        new = self.public / "v1" / "new"
        new.write_bytes(b"b" * 100)
        os.utime(new, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        new.rename(self.file)
        self.assertEqual((first, self.get().body), (b"a" * 100, b"b" * 100))
        # In place and at once, with the time put back: only that it is so recent gives it away.
        self.file.write_bytes(b"c" * 100)
        os.utime(self.file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        self.assertEqual(self.get().body, b"c" * 100)

    def test_header_and_body_are_always_of_one_publication(self):
        bodies = [bytes([65 + i]) * (50000 + 7919 * i) for i in range(8)]
        known = {tag(body): body for body in bodies}
        stop = threading.Event()

        def publish():
            new = self.public / "v1" / "new"
            while not stop.is_set():
                for body in bodies:
                    new.write_bytes(body)
                    new.chmod(0o644)
                    new.rename(self.file)
        self.file.write_bytes(bodies[0])
        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            seen = set()
            for _ in range(300):
                answer = self.get()
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.body, known[answer.header("ETag")])
                seen.add(answer.header("ETag"))
        finally:
            stop.set()
            publisher.join()
        self.assertGreater(len(seen), 1)

    def test_withdrawn_is_gone(self):
        self.file.unlink()
        self.assertEqual((self.get().status, self.server.request(path="/healthz").status), (404, 503))

    def test_the_directory_may_be_swapped(self):
        self.public.rename(self.dir / "old")
        self.public.mkdir()
        self.assertEqual(self.get().status, 404)
        self.assertEqual(self.get().status, 404)
        body = self.publish()
        self.assertEqual(self.get().body, body)

    def test_links_and_others_than_plain_files_are_not_served(self):
        secret = self.dir / "secret"
        secret.write_text("secret")

        def link():
            os.symlink(secret, self.file)

        def link_below():
            self.file.parent.rename(self.dir / "elsewhere")
            (self.dir / "elsewhere" / "policy.json").write_text("secret")
            os.symlink(self.dir / "elsewhere", self.public / "v1")

        def sock():
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(self.file))
        for make in (link, lambda: os.mkfifo(self.file), sock, lambda: self.file.mkdir(), link_below):
            if self.file.is_dir():
                self.file.rmdir()
            else:
                self.file.unlink(missing_ok=True)
            make()
            answer = self.get()
            self.assertEqual(answer.status, 404)
            self.assertNotIn(b"secret", answer.body)
            self.assertEqual(self.server.request(path="/healthz").status, 503)

    def test_too_large_for_any_node(self):
        with open(self.file, "wb") as file:
            file.truncate((24 << 20) + 1)
        self.assertEqual(self.get().status, 503)
        os.truncate(self.file, 24 << 20)
        answer = self.get()
        self.assertEqual((answer.status, len(answer.body)), (200, 24 << 20))

    def test_an_empty_file_is_what_it_is(self):
        os.truncate(self.file, 0)
        answer = self.get()
        self.assertEqual((answer.status, answer.body, answer.header("ETag")), (200, b"", tag(b"")))


if __name__ == "__main__":
    verdict.main()
