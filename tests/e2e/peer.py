"""A client that knows nothing but the address: messages and methods come by reflection."""

import time

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


class Peer:
    def __init__(self, address: str):
        self.channel = grpc.insecure_channel(address)
        self.reflection = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.reflection)

    def message(self, name: str, fields: dict):
        kind = message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))
        return json_format.ParseDict(fields, kind(), descriptor_pool=self.pool)

    def call(self, method: str, fields: dict, timeout: float = 10.0):
        """Calls `package.Service/Method`; the answer as a dictionary of JSON."""
        service, name = method.split("/")
        descriptor = self.pool.FindServiceByName(service).FindMethodByName(name)
        answer = message_factory.GetMessageClass(descriptor.output_type)
        stub = self.channel.unary_unary(
            f"/{method}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        request = self.message(descriptor.input_type.full_name, fields)
        return json_format.MessageToDict(stub(request, timeout=timeout))

    def authorize(self, principal: str, permission: str, resource: str) -> dict:
        fields = {"principal": principal, "permission": permission, "resource": resource}
        return self.call("postern.v1.AuthorizationService/Authorize", fields)


def check(name: str, condition: bool, found=None) -> None:
    if not condition:
        raise SystemExit(f"FAILED: {name}: {found}")
    print(f"ok: {name}", flush=True)


def wait_for(name: str, seconds: float, question):
    """Asks until the answer is true; the feed needs a moment."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            print(f"ok: {name}", flush=True)
            return answer
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: {name}: not within {seconds} s")
        time.sleep(0.05)
