"""A TCP relay between workers and their coordinator that can be slow, since not every kernel has netem."""

import socket
import threading
import time


class Relay:
    """Each connection's bytes wait `delay` seconds on their way, in both directions."""

    def __init__(self, port):
        self.port, self.delay = port, 0
        self._listener = socket.create_server(("0.0.0.0", 0))
        self.door = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.port), 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source, sink):
        try:
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
        except OSError:
            pass
        # The end of one direction is the end of both: so a coordinator that dies shows at once.
        for side in (source, sink):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listener.close()
