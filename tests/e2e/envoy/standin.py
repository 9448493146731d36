"""A decision point that answers one thing, whatever is asked."""

import concurrent.futures

import grpc

CHECK = "/envoy.service.auth.v3.Authorization/Check"
# To Envoy a CheckResponse without anything in it is an allow.
EMPTY = b""


class Standin:
    """A grpc.GenericRpcHandler."""

    def __init__(self, answer: bytes):
        self.answer = answer
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers([self])
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, details):
        if details.method != CHECK:
            return None

        def check(_request, _context):
            return self.answer

        return grpc.unary_unary_rpc_method_handler(check)

    def stop(self):
        self.server.stop(None).wait(5)
