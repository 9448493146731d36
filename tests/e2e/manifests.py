"""Checks examples/istio and examples/envoy-gateway against the schemas that the projects publish.

  manifests.py ISTIO_API ENVOY_GATEWAY BUF ENVOY

ISTIO_API and ENVOY_GATEWAY are the directories of the Go modules istio.io/api and
github.com/envoyproxy/gateway. A field that a schema does not have is an error here, as it is with
`kubectl apply --validate=strict`. Rules in CEL (x-kubernetes-validations) are not evaluated.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUBERNETES = "1.34"
MANAGER = "envoy.filters.network.http_connection_manager"


def documents(path: pathlib.Path) -> list:
    # charts: their template lines are no YAML, and none is inside of a schema's structure
    lines = [line for line in path.read_text().splitlines() if not line.startswith("{{")]
    return [document for document in yaml.safe_load_all("\n".join(lines)) if document]


def strict(schema):
    """The schema, but an object has only the fields that it names."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if named and not open_ended:
        made["additionalProperties"] = False
    # written by the API server
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    return made


def schemas(files: list) -> dict:
    found = {}
    for path in files:
        for document in documents(path):
            if document["kind"] != "CustomResourceDefinition":
                continue
            spec = document["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                for field in ("apiVersion", "kind", "metadata"):
                    schema["properties"][field] = {}
                name = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found[name] = jsonschema.Draft202012Validator(schema)
    return found


def check(path: pathlib.Path, crds: dict) -> list:
    problems = []
    for document in documents(path):
        name = f"{path.relative_to(ROOT)}: {document['kind']} {document['metadata']['name']}"
        crd = crds.get((document["apiVersion"], document["kind"]))
        if crd:
            errors = [f"{error.json_path}: {error.message}" for error in crd.iter_errors(document)]
        elif "." in document["apiVersion"].partition("/")[0]:
            errors = [f"no schema for {document['apiVersion']}"]
        else:
            try:
                kubernetes_validate.validate(document, KUBERNETES, strict=True)
                errors = []
            except kubernetes_validate.ValidationError as error:
                errors = [str(error).partition("\n")[0]]
        print(f"{'FAILED' if errors else 'ok'}: {name}", flush=True)
        problems += [f"{name}: {error}" for error in errors]
    return problems


def mesh_config(istio: pathlib.Path, buf: str, directory: pathlib.Path) -> list:
    image = directory / "istio.binpb"
    # the module cache cannot be written to, and buf wants a configuration of its own
    protos = directory / "protos"
    for name in ("mesh/v1alpha1", "networking/v1alpha3", "networking/v1beta1", "type/v1beta1"):
        (protos / name).mkdir(parents=True)
        for proto in (istio / name).glob("*.proto"):
            (protos / name / proto.name).write_text(proto.read_text())
    for proto in (istio / "common-protos/google/api").glob("field_behavior.proto"):
        (protos / "google/api").mkdir(parents=True)
        (protos / "google/api" / proto.name).write_text(proto.read_text())
    (protos / "buf.yaml").write_text("version: v2\n")
    only = protos / "mesh/v1alpha1/config.proto"
    build = subprocess.run(
        [buf, "build", protos, "--path", only, "-o", image], capture_output=True, text=True
    )
    name = "examples/istio/mesh-config.yaml: MeshConfig"
    try:
        if build.returncode:
            raise ValueError(build.stderr.strip()[-600:])
        files = descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())
        pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            pool.Add(file)
        kind = pool.FindMessageTypeByName("istio.mesh.v1alpha1.MeshConfig")
        config = documents(ROOT / "examples/istio/mesh-config.yaml")[0]
        # refuses fields that the message does not have
        json_format.ParseDict(config, message_factory.GetMessageClass(kind)(), descriptor_pool=pool)
    except (ValueError, TypeError, json_format.ParseError) as error:
        print(f"FAILED: {name}")
        return [f"{name}: {error}"]
    print(f"ok: {name}")
    return []


def envoy_accepts(envoy: str, directory: pathlib.Path) -> list:
    """What Istio would merge into a connection manager, in one."""
    patches = documents(ROOT / "examples/istio/envoy-filter.yaml")[0]["spec"]["configPatches"]
    manager = {"stat_prefix": "x", "route_config": {"name": "x"}, "http_filters": [{
        "name": "router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }]}
    for patch in patches:
        manager.update(patch["patch"]["value"]["typed_config"])
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    filters = [{"name": MANAGER, "typed_config": manager}]
    config = directory / "envoy.json"
    config.write_text(json.dumps({"static_resources": {"listeners": [
        {"name": "x", "address": address, "filter_chains": [{"filters": filters}]}
    ]}}))
    run = subprocess.run([envoy, "--mode", "validate", "-c", config], capture_output=True, text=True)
    print(f"{'FAILED' if run.returncode else 'ok'}: examples/istio/envoy-filter.yaml: Envoy")
    return [f"envoy-filter.yaml: {run.stderr[-600:]}"] if run.returncode else []


def main() -> None:
    istio, gateway = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    buf, envoy = sys.argv[3:5]
    charts = gateway / "charts/gateway-crds-helm/templates"
    crds = schemas([
        istio / "kubernetes/customresourcedefinitions.gen.yaml",
        charts / "standard-gatewayapi-crds.yaml",
        *(charts / f"generated/gateway.envoyproxy.io_{kind}.yaml"
          for kind in ("securitypolicies", "clienttrafficpolicies")),
    ])
    problems = []
    for folder in ("istio", "envoy-gateway"):
        for path in sorted((ROOT / "examples" / folder).glob("*.yaml")):
            if path.name != "mesh-config.yaml":
                problems += check(path, crds)
    with tempfile.TemporaryDirectory() as made:
        problems += mesh_config(istio, buf, pathlib.Path(made))
        problems += envoy_accepts(envoy, pathlib.Path(made))
    # a checker that accepts everything would be of no use
    policy = next(d for d in documents(ROOT / "examples/envoy-gateway/postern.yaml")
                  if d["kind"] == "SecurityPolicy")
    policy["spec"]["extAuth"]["failOpened"] = False
    if not list(crds[policy["apiVersion"], policy["kind"]].iter_errors(policy)):
        problems.append("a misspelt field was accepted")
    for problem in problems:
        print(problem)
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main()
