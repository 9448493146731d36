"""An independent gRPC client against `postern serve --demo`."""

import pathlib
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from peer import Peer, check

AUTHORIZATION = "postern.v1.AuthorizationService"
INSPECTOR = "organizations/acme/teams/vision/projects/inspector"


def demo_keys() -> dict:
    """Names of keys and the keys, as the example prints them."""
    path = pathlib.Path(__file__).parents[2] / "examples/acme/keys.txt"
    lines = [line.strip() for line in path.read_text().splitlines() if not line.startswith("#")]
    return {
        name: key for name, key in zip(lines, lines[1:]) if "/keys/" in name and key[:4] == "pst_"
    }


def decisions(peer: Peer) -> None:
    rows = [
        ("user:farid@acme.example", "models.runs.create", "ALLOW", "GRANTED_BY_POLICY"),
        ("user:erin@acme.example", "models.runs.create", "DENY", "NO_GRANT"),
        ("user:hugo@acme.example", "models.runs.create", "DENY", "SEAT"),
        ("user:xander@acme.example", "models.runs.get", "DENY", "PRINCIPAL_DISABLED"),
        ("user:nobody@acme.example", "models.runs.get", "DENY", "PRINCIPAL_UNKNOWN"),
        ("serviceAccount:pipeline@acme-iam.example", "models.runs.create", "ALLOW", "GRANTED_BY_SCOPE"),
        ("user:farid@acme.example", "models.runs.fly", "DENY", "PERMISSION_UNKNOWN"),
    ]
    for principal, permission, decision, reason in rows:
        answer = peer.authorize(principal, permission, INSPECTOR)
        found = (answer["decision"], answer["reason"])
        expected = (f"DECISION_{decision}", f"REASON_{reason}")
        check(f"{principal} {permission}: {decision} {reason}", found == expected, answer)
    answer = peer.authorize("user:farid@acme.example", "models.runs.get", INSPECTOR + "-gone")
    check("a missing project", answer["reason"] == "REASON_RESOURCE_NOT_FOUND", answer)
    answer = peer.call(
        f"{AUTHORIZATION}/Authorize",
        {
            "anonymous": {},
            "permission": "models.runs.get",
            "resource": "organizations/acme/teams/vision/projects/benchmark",
        },
    )
    check("anonymous reads PUBLIC", answer["reason"] == "REASON_GRANTED_BY_VISIBILITY", answer)


def batch(peer: Peer) -> None:
    good = {"principal": "user:dan@acme.example", "permission": "models.runs.get", "resource": INSPECTOR}
    bad = {**good, "resource": "organizations//acme"}
    answer = peer.call(f"{AUTHORIZATION}/BatchAuthorize", {"requests": [good, bad, good]})
    items = answer["responses"]
    shape = [next(iter(item)) for item in items]
    check("a batch keeps its order, errors stay with their item",
          shape == ["response", "status", "response"], shape)
    check("the item's error is INVALID_ARGUMENT", items[1]["status"]["code"] == 3, items[1])
    revisions = {item["response"]["revision"] for item in items if "response" in item}
    check("a batch sees one snapshot", len(revisions) == 1, revisions)


def keys(peer: Peer) -> None:
    keys = demo_keys()
    expected = {
        "organizations/acme/teams/vision/serviceAccounts/trainer/keys/main": "VALID",
        "organizations/acme/teams/vision/serviceAccounts/trainer/keys/expired": "EXPIRED",
        "organizations/acme/teams/vision/serviceAccounts/trainer/keys/future": "NOT_YET_VALID",
        "organizations/acme/teams/vision/serviceAccounts/trainer/keys/disabled": "DISABLED",
        "organizations/acme/teams/vision/serviceAccounts/trainer/keys/exposed": "DISABLED",
        "organizations/acme/teams/vision/serviceAccounts/trainer/keys/build": "IP_NOT_ALLOWED",
        "organizations/acme/teams/speech/serviceAccounts/nightly/keys/main": "OWNER_DISABLED",
        "organizations/acme/teams/platform/serviceAccounts/deployer/keys/before": "OWNER_DELETED",
        "organizations/acme/teams/platform/serviceAccounts/deployer/keys/main": "VALID",
        "users/xander/keys/laptop": "OWNER_DISABLED",
    }
    for name, code in expected.items():
        answer = peer.call("postern.v1.CredentialService/VerifyKey", {"key": keys[name]})
        check(f"{name}: {code}", answer["code"].endswith(f"_{code}"), answer)
    trainer = keys["organizations/acme/teams/vision/serviceAccounts/trainer/keys/main"]
    for key, code in ((trainer[:-1] + "!", "MALFORMED"), ("x" * 40, "NOT_FOUND")):
        answer = peer.call("postern.v1.CredentialService/VerifyKey", {"key": key})
        check(f"a wrong key: {code}", answer["code"].endswith(f"_{code}"), answer)
    answer = peer.call(
        f"{AUTHORIZATION}/Authorize",
        {"credential": trainer, "permission": "models.runs.create", "resource": INSPECTOR},
    )
    check("a key as credential", answer["decision"] == "DECISION_ALLOW", answer)
    check("says whose it is", answer["principal"] == "serviceAccount:trainer@acme-iam.example", answer)


def bad_input(peer: Peer) -> None:
    request = {"principal": "user:dan@acme.example", "permission": "models.runs.get"}
    try:
        peer.call(f"{AUTHORIZATION}/Authorize", {**request, "resource": "organizations/acme/"})
        check("a trailing slash is refused", False, "an answer")
    except grpc.RpcError as error:
        check("a trailing slash is INVALID_ARGUMENT", error.code() == grpc.StatusCode.INVALID_ARGUMENT, error)
        details = rpc_status.from_call(error).details
        bad_request = error_details_pb2.BadRequest()
        check("with BadRequest details", bool(details) and details[0].Unpack(bad_request), details)
        fields = [violation.field for violation in bad_request.field_violations]
        check("that name the field", fields == ["resource"], fields)


def health(peer: Peer) -> None:
    stub = health_pb2_grpc.HealthStub(peer.channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    for service in ("", AUTHORIZATION):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
        check(f"health of `{service}`", answer.status == serving, answer)
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=5)
        check("health of an unknown service", False, "an answer")
    except grpc.RpcError as error:
        check("health of an unknown service is NOT_FOUND", error.code() == grpc.StatusCode.NOT_FOUND, error)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=""), timeout=5)
    check("a watch tells the state at once", next(watch).status == serving)
    watch.cancel()
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=5)
    check("a watch of an unknown service stays open",
          next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
    unknown.cancel()
    answer = peer.call("grpc.health.v1.Health/List", {})
    check("health lists", "SERVING" in {s.get("status") for s in answer["statuses"].values()}, answer)


def snapshot(peer: Peer) -> None:
    answer = peer.call("postern.v1.SnapshotService/GetSnapshot", {})
    check("the snapshot has a revision", int(answer["revision"]) > 0, answer)
    services = peer.reflection.get_services()
    for service in (AUTHORIZATION, "postern.v1.CredentialService", "postern.v1.SnapshotService"):
        check(f"reflection names {service}", service in services, services)


def main() -> None:
    peer = Peer(sys.argv[1])
    for part in (decisions, batch, keys, bad_input, health, snapshot):
        part(peer)


main()
