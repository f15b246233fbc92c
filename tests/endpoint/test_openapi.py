"""api/openapi.yaml and jail-policyd say the same: every request in the one is answered so by the other, and nothing besides."""

import base64
import hashlib
import json
import os
import pathlib

import jsonschema
import yaml

from service import Published
import verdict

SPECIFICATION = pathlib.Path(__file__).resolve().parents[2] / "api" / "openapi.yaml"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "QUERY")
# What a server of files might also know.
CANDIDATES = ("/", "/v1", "/v1/", "/v1/policy", "/v1/policy.json/", "/v1//policy.json", "//v1/policy.json", "/v2/policy.json",
              "/V1/policy.json", "/v1/policy.json~", "/v1/.policy.json.new", "/v1/../v1/policy.json", "/v1/./policy.json",
              "/v1/%70olicy.json", "/v1%2Fpolicy.json", "/v1/policy.json%00", "/..%2f..%2fetc/passwd", "/../../../etc/passwd",
              "/v1/trust.json", "/v1/trust/1.json", "/health", "/healthz/", "/metrics", "/status", "/robots.txt",
              "/favicon.ico", "/openapi.yaml", "/etc/passwd", "*", "/v1/secret.txt")


class OpenApi(Published):
    @classmethod
    def setUpClass(cls):
        cls.specification = yaml.safe_load(SPECIFICATION.read_text())

    def setUp(self):
        super().setUp()
        self.server = self.start()

    def schema(self, schema):
        """Alone, with what it refers to."""
        return {**schema, "components": self.specification["components"]}

    def check(self, value, schema):
        jsonschema.validate(value, self.schema(schema), jsonschema.Draft7Validator)

    def state(self, published):
        self.file.unlink(missing_ok=True)
        if published != "nothing":
            self.publish()
        if published == "unreadable":
            self.file.chmod(0)

    def answers(self):
        for path, item in self.specification["paths"].items():
            for method, operation in item.items():
                for status, response in operation["responses"].items():
                    yield path, method.upper(), int(status), response

    def headers_for(self, test):
        if "if-none-match" not in test:
            return {}
        return {"If-None-Match": '"%s"' % hashlib.sha256(self.file.read_bytes()).hexdigest()}

    def test_every_answer(self):
        for path, method, status, response in self.answers():
            with self.subTest(path=path, method=method, status=status):
                test = response["x-test"]
                self.state(test["published"])
                answer = self.server.request(method, path, self.headers_for(test))
                self.assertEqual(answer.status, status, answer.body)
                for name, header in response["headers"].items():
                    self.assertIsNotNone(answer.header(name), name)
                    self.check(answer.header(name), header["schema"])
                if method == "HEAD" or status == 304:
                    self.assertEqual(answer.body, b"")
                else:
                    self.check_body(answer, response["content"])

    def check_body(self, answer, content):
        (media, described), = content.items()
        self.assertEqual(answer.header("Content-Type").split(";")[0], media)
        if media == "application/json":
            self.assertEqual(answer.body, self.file.read_bytes())
            value = json.loads(answer.body)
            base64.b64decode(value["payload"], validate=True)
        else:
            value = answer.body.decode()
        self.check(value, described["schema"])

    def test_no_header_that_is_not_described(self):
        usual = {"date", "connection", "content-type", "content-length"}
        for path, method, status, response in self.answers():
            self.state(response["x-test"]["published"])
            answer = self.server.request(method, path, self.headers_for(response["x-test"]))
            described = {name.lower() for name in response["headers"]} | usual
            self.assertLessEqual({name.lower() for name in answer.headers.keys()}, described, (path, method, status))

    def test_other_methods(self):
        wanted = self.specification["x-other-methods"]
        self.publish()
        for path, item in self.specification["paths"].items():
            for method in METHODS:
                if method.isupper() and method.lower() in item:
                    continue
                answer = self.server.request(method, path)
                self.assertEqual(answer.status, wanted["status"], (method, path))
                for name, header in wanted["headers"].items():
                    self.check(answer.header(name), header["schema"])
                self.assertEqual({word.strip().lower() for word in answer.header("Allow").split(",")}, set(item))

    def test_other_paths(self):
        self.publish()
        (self.public / "v1" / "secret.txt").write_text("not published")
        os.symlink("/etc", self.public / "etc")
        for path in CANDIDATES:
            self.assertNotIn(path, self.specification["paths"])
            for method in ("GET", "HEAD", "POST"):
                answer = self.server.request(method, path)
                self.assertEqual(answer.status, self.specification["x-other-paths"]["status"], (method, path))

    def test_it_is_openapi(self):
        self.assertEqual(self.specification["openapi"], "3.0.3")
        for item in self.specification["paths"].values():
            self.assertLessEqual(set(item), {"get", "head"})
            for operation in item.values():
                for status, response in operation["responses"].items():
                    self.assertRegex(status, "^[1-5][0-9][0-9]$")
                    self.assertTrue(response["description"])


if __name__ == "__main__":
    verdict.main()
