"""The services behind Envoy. HTTP: answers with what it was told of the caller.

gRPC, where grpcio is installed: `acme.speech.v1.Traces/List` answers with its own request.
"""

import http.server
import json
import sys
import threading

# Any bytes in, the same bytes out: enough for a method without a schema.
GRPC_METHOD = "/acme.speech.v1.Traces/List"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        told = {k.lower(): v for k, v in self.headers.items() if k.lower().startswith("x-postern-")}
        seen = {"method": self.command, "path": self.path, **told}
        seen["authorization"] = "authorization" in self.headers
        body = json.dumps(seen, indent=1).encode() + b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


def serve_http(port: int) -> http.server.ThreadingHTTPServer:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def serve_grpc(port: int):
    """The server and its port; nothing where grpcio is missing."""
    try:
        import grpc
    except ImportError:
        return None, 0
    from concurrent.futures import ThreadPoolExecutor

    class Service(grpc.GenericRpcHandler):
        def service(self, details):
            if details.method == GRPC_METHOD:
                return grpc.unary_unary_rpc_method_handler(lambda request, _: request)
            return None

    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([Service()])
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


if __name__ == "__main__":
    serve_http(8000)
    print("HTTP on 127.0.0.1:8000")
    _server, port = serve_grpc(8001)
    print(f"gRPC on 127.0.0.1:{port}" if port else "no gRPC: pip install grpcio")
    sys.stdout.flush()
    threading.Event().wait()
