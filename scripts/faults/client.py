"""The coordinator's HTTP API, as far as the faults need it."""

import http.client
import json


class APIError(Exception):
    """An answer that is an error: its status, and the one line that people would see."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status = status


class Client:
    """One connection a request: a coordinator that was killed leaves nothing half-used behind here."""

    def __init__(self, host, port, token, timeout=10):
        self.host, self.port, self.token, self.timeout = host, port, token, timeout

    def request(self, method, path, body=None, timeout=None):
        """The answer's bytes. Raises OSError or HTTPException where none came, APIError where it is an error."""
        link = http.client.HTTPConnection(self.host, self.port, timeout=timeout or self.timeout)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            link.request(method, path, None if body is None else json.dumps(body), headers)
            answer = link.getresponse()
            data = answer.read()
            if answer.status >= 300:
                raise APIError(answer.status, data.decode(errors="replace").strip()[:500])
            return data
        finally:
            link.close()

    def get(self, path):
        return json.loads(self.request("GET", path))

    def post(self, path, body=None):
        return json.loads(self.request("POST", path, body))

    def job(self, reference):
        return self.get(f"/v1/jobs/{reference}")

    def output(self, reference, stream):
        return self.request("GET", f"/v1/jobs/{reference}/output/{stream}", timeout=60)

    def is_there(self):
        try:
            self.get("/v1/workers")
            return True
        except (OSError, http.client.HTTPException, APIError):
            return False


#: What a request meets while the coordinator is down or dies under it.
GONE = (OSError, http.client.HTTPException)
