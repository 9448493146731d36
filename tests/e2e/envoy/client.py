"""Clients that send exactly what they are told, however odd, and say what came back."""

import dataclasses
import os
import pathlib
import socket
import ssl

import grpc
import h2.config
import h2.connection
import h2.events

SECONDS = 30


@dataclasses.dataclass
class Answer:
    """`status` is the HTTP status, or the name of the gRPC status of a gRPC call."""

    status: object
    headers: list
    body: bytes

    def values(self, name: str) -> list:
        return [value for key, value in self.headers if key == name]


def connect(port: int, certificates: pathlib.Path = None, certificate: str = None, alpn="http/1.1"):
    """A connection, over TLS if `certificates` is given; `certificate` is the client's own."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if certificates is None:
        return plain
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.set_alpn_protocols([alpn])
    if certificate:
        context.load_cert_chain(
            certificates / f"{certificate}.pem", certificates / f"{certificate}.key"
        )
    return context.wrap_socket(plain, server_hostname="api.acme.example")


def read_head(connection) -> tuple:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError(f"closed after {data!r}")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines[1:])]
    return int(lines[0].split(" ")[1]), headers, rest


def http1(connection, method: str, target: str, host: str, headers: list, body: bytes) -> Answer:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
    status, found, content = read_head(connection)
    named = dict(found)
    if named.get("transfer-encoding") == "chunked":
        while not content.endswith(b"0\r\n\r\n"):
            content += connection.recv(65536)
        return Answer(status, found, dechunked(content))
    length = int(named.get("content-length", 0)) if method != "HEAD" else 0
    while len(content) < length:
        part = connection.recv(65536)
        if not part:
            break
        content += part
    return Answer(status, found, content)


def dechunked(data: bytes) -> bytes:
    body = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        if size == 0:
            return body
        body, data = body + data[:size], data[size + 2 :]


def http2(connection, method: str, target: str, host: str, headers: list, body: bytes,
          scheme: str = "http") -> Answer:
    # nothing is tidied: what a row says is what is sent
    settings = h2.config.H2Configuration(
        client_side=True, header_encoding="latin-1", validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    state = h2.connection.H2Connection(settings)
    state.initiate_connection()
    pseudo = [(":method", method), (":scheme", scheme), (":authority", host), (":path", target)]
    state.send_headers(1, pseudo + [(n.lower(), v) for n, v in headers], end_stream=not body)
    sent, answer = 0, Answer(None, [], b"")
    while True:
        while sent < len(body) and (room := min(
            state.local_flow_control_window(1), state.max_outbound_frame_size, len(body) - sent
        )):
            state.send_data(1, body[sent : sent + room], end_stream=sent + room == len(body))
            sent += room
        connection.sendall(state.data_to_send())
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("closed")
        for event in state.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                answer.headers = [(n, v) for n, v in event.headers if n != ":status"]
                answer.status = int(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.DataReceived):
                answer.body += event.data
                state.acknowledge_received_data(event.flow_controlled_length, 1)
            elif isinstance(event, h2.events.StreamEnded):
                return answer
            elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                # the upload may be cut short by an answer that is whole
                if answer.status is None:
                    raise ConnectionError(f"reset: {event.error_code}")
                return answer


def websocket(connection, target: str, host: str, headers: list, text: bytes) -> Answer:
    """Upgrades, sends one frame and reads its echo; a refusal is answered like any request."""
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    answer = http1(connection, "GET", target, host, upgrade + headers, b"")
    if answer.status == 101:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
        connection.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
        data = answer.body
        while len(data) < 2 + len(text):
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("closed")
            data += part
        answer.body = data[2:]
    return answer


def grpc_unary(port: int, method: str, headers: list, message: bytes, host: str) -> Answer:
    """`status` is the name of the gRPC status, `body` its message or the reply."""
    options = [("grpc.default_authority", host), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        call = channel.unary_unary(method)
        try:
            reply, state = call.with_call(
                message, timeout=SECONDS, metadata=[(n.lower(), v) for n, v in headers]
            )
            return Answer("OK", list(state.initial_metadata()), reply)
        except grpc.RpcError as error:
            headers = list(error.initial_metadata() or []) + list(error.trailing_metadata() or [])
            return Answer(error.code().name, headers, error.details().encode())
