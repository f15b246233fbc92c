"""How it runs: as nobody, with limits, a log line for each request, and to a good end."""

import os
import pwd
import re
import socket
import threading
import time

from service import OTHER, Published
import verdict

LINE = re.compile(r"^jail-policyd: (\S+) (\S+) (\d+|refused) (\d+) bytes to (\S+) in (\d+\.\d) ms(, not completed)?$")


class Run(Published):
    def raw(self, server, data, timeout=5):
        with socket.create_connection((server.host, server.port), timeout=timeout) as connection:
            connection.sendall(data)
            received = b""
            try:
                while chunk := connection.recv(65536):
                    received += chunk
            except ConnectionResetError:
                pass
            return received

    def requests(self, server):
        return [found.groups() for line in server.log if (found := LINE.match(line))]

    # -- whom it runs as

    def status_of(self, server):
        with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    def test_as_an_ordinary_user(self):
        status = self.status_of(self.start())
        self.assertEqual(status["Uid"].split(), [str(OTHER)] * 4)
        self.assertEqual((status["NoNewPrivs"], status["CapEff"]), ("1", "0" * 16))

    def test_root_becomes_somebody_else(self):
        self.publish()
        server = self.start("--user", "nobody", user=0)
        status = self.status_of(server)
        nobody = pwd.getpwnam("nobody")
        self.assertEqual(status["Uid"].split(), [str(nobody.pw_uid)] * 4)
        self.assertEqual(status["Gid"].split(), [str(nobody.pw_gid)] * 4)
        self.assertEqual((status["Groups"].split(), status["CapPrm"], status["NoNewPrivs"]), ([], "0" * 16, "1"))
        self.assertEqual(server.request().status, 200)

    def refused(self, expected, *arguments, code=1, user=None):
        done = self.run_policyd(*arguments, user=user)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertIn(expected, done.stderr)

    def test_never_root(self):
        here = ("--dir", self.public, "--listen", "127.0.0.1:0")
        self.refused("will not serve as root", *here, "--user", "root")
        self.refused("there is no user no-such-user", *here, "--user", "no-such-user")
        self.refused("only root can become", *here, "--user", "daemon", user=OTHER)
        try:
            pwd.getpwnam("clusterjail-policyd")
        except KeyError:
            self.refused("will not serve as root", *here)

    def test_usage(self):
        for arguments in ((), ("--dir", self.public), ("--listen", ":0"), ("--dir", self.public, "--listen", ":0", "more"),
                          ("--dir", "", "--listen", ":0"), ("--dir", self.public, "--listen", ":0", "--routes")):
            self.refused("usage: jail-policyd", *arguments, code=64)
        for address in ("localhost:80", "1.2.3:80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:http", "::1:80x",
                        "[::1]", "[1.2.3.4]:80", "::1", "", "[::1:80", "1.2.3.4:0x50", "999.1.1.1:80", "[]:80"):
            self.refused("--listen", "--dir", self.public, "--listen", address, code=64)

    def test_what_keeps_it_from_starting(self):
        self.refused("No such file or directory", "--dir", self.dir / "nowhere", "--listen", "127.0.0.1:0", user=OTHER)
        server = self.start()
        self.refused("Address already in use", "--dir", self.public, "--listen", f"127.0.0.1:{server.port}", user=OTHER)

    def test_addresses(self):
        self.publish()
        for listen, hosts in (("127.0.0.1:0", ["127.0.0.1"]), ("[::1]:0", ["::1"]), (":0", ["127.0.0.1", "::1"]),
                              ("[::]:0", ["127.0.0.1", "::1"]), ("0.0.0.0:0", ["127.0.0.1"])):
            server = self.start(listen=listen)
            for host in hosts:
                server.host = host
                self.assertEqual(server.request().status, 200, (listen, host))
                server.wait_for(rf"bytes to {re.escape(host)} in")

    # -- the log

    def test_a_line_for_each_request(self):
        body = self.publish()
        server = self.start()
        server.request()
        server.request("HEAD")
        server.request("POST", body=b"x" * 1000)
        server.request(path="/nope?q=1")
        server.stop()
        self.assertEqual([entry[:5] for entry in self.requests(server)], [
            ("GET", "/v1/policy.json", "200", str(len(body)), "127.0.0.1"), ("HEAD", "/v1/policy.json", "200", "0", "127.0.0.1"),
            ("POST", "/v1/policy.json", "405", "35", "127.0.0.1"), ("GET", "/nope?q=1", "404", "22", "127.0.0.1")])

    def test_nobody_else_writes_log_lines(self):
        server = self.start()
        self.raw(server, b"GET /a\x1b[31m\xc2\x9b\xff\x7f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.raw(server, b"GET /" + b"b" * 1000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.raw(server, b"GET /%0ajail-policyd:%20fake HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server.stop()
        paths = [entry[1] for entry in self.requests(server)]
        self.assertEqual(paths, ["/a?[31m????", "/" + "b" * 254, "/%0ajail-policyd:%20fake"])
        self.assertTrue(all(line.isprintable() and line.isascii() for line in server.log), server.log)

    # -- limits

    def test_malformed_requests_end_their_connection_only(self):
        self.publish()
        server = self.start()
        for data in (b"\r\n\r\nnonsense\r\n\r\n", b"GET /v1/policy.json HTTP/1.1\r\n\r\n", b"GET " + b"/x" * 20000 + b" HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                     b"POST /v1/policy.json HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 100000):
            with socket.create_connection((server.host, server.port), timeout=1) as connection:
                try:
                    connection.sendall(data)
                    answer = connection.recv(65536)
                except OSError:  # reset; or, by older releases of libmicrohttpd, still waited for
                    answer = b""
            self.assertRegex(answer[:12], rb"^(HTTP/1\.[01] 4[0-9][0-9])?$", data[:30])
            self.assertEqual(server.request().status, 200)

    def test_a_hundred_at_once(self):
        body = self.publish()
        server = self.start()
        barrier, good = threading.Barrier(100), []

        def ask():
            barrier.wait()
            good.append(server.request().body == body)
        threads = [threading.Thread(target=ask) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(good, [True] * 100)

    def test_slow_ones_keep_nobody_waiting(self):
        self.publish()
        server = self.start()
        slow = [socket.create_connection((server.host, server.port)) for _ in range(200)]
        for number, connection in enumerate(slow):
            connection.sendall(b"GET /v1/policy.json HTTP/1.1\r\nHost: a\r\nX-Slow: "[:1 + number])
        begin = time.monotonic()
        for _ in range(20):
            self.assertEqual(server.request().status, 200)
        self.assertLess(time.monotonic() - begin, 2)
        for connection in slow:
            connection.close()

    def test_one_address_does_not_take_all_connections(self):
        self.publish()
        server = self.start()
        held = [socket.create_connection((server.host, server.port)) for _ in range(300)]
        for connection in held:
            try:
                connection.sendall(b"GET")
            except (ConnectionResetError, BrokenPipeError):
                pass
        with socket.create_connection((server.host, server.port), source_address=("127.0.0.2", 0), timeout=5) as other:
            other.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            self.assertIn(b"200", other.recv(100))
        for connection in held:
            connection.close()

    def test_an_idle_connection_is_closed(self):
        server = self.start()
        with socket.create_connection((server.host, server.port), timeout=30) as connection:
            connection.sendall(b"GET /v1/pol")
            begin = time.monotonic()
            self.assertNotIn(b"200", connection.recv(1000))
        self.assertGreater(time.monotonic() - begin, 5)

    def test_memory_stays_small(self):
        self.publish()
        server = self.start()
        for _ in range(200):
            self.publish_bytes(os.urandom(200000))
            self.assertEqual(server.request().status, 200)
        peak = int(self.status_of(server)["VmHWM"].split()[0])
        self.assertLess(peak, 32 * 1024)

    def publish_bytes(self, data):
        new = self.file.parent / "new"
        new.write_bytes(data)
        new.chmod(0o644)
        new.rename(self.file)

    # -- the end

    def test_ends_well(self):
        for number in (15, 2):
            server = self.start()
            server.process.send_signal(number)
            self.assertEqual(server.process.wait(timeout=10), 0)
            server.reader.join()
            self.assertIn("stopping", server.log[-1])

    def test_an_answer_in_progress_is_finished(self):
        self.publish()
        data = os.urandom(20 << 20)
        self.publish_bytes(data)
        server = self.start()
        with socket.create_connection((server.host, server.port), timeout=10) as connection:
            connection.sendall(b"GET /v1/policy.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            received = connection.recv(65536)
            server.process.terminate()
            time.sleep(0.3)
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection((server.host, server.port), timeout=1).close()
            while chunk := connection.recv(1 << 20):
                received += chunk
        self.assertEqual(received.split(b"\r\n\r\n", 1)[1], data)
        self.assertEqual(server.process.wait(timeout=10), 0)

    def test_an_idle_client_does_not_delay_the_end(self):
        server = self.start()
        with socket.create_connection((server.host, server.port)):
            time.sleep(0.1)
            begin = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - begin, 3)


if __name__ == "__main__":
    verdict.main()
