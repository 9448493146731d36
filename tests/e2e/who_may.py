"""Who may do PERMISSION on each RESOURCE: asks a server about every principal of a snapshot.

    who_may.py ADDRESS SNAPSHOT.ndjson PERMISSION RESOURCE...
"""

import json
import sys

from peer import Peer, check

BATCH = 1000


def principals(path: str) -> list:
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            entity = json.loads(line)
            if "user" in entity:
                found.append("user:" + entity["user"]["email"])
            if "service_account" in entity:
                found.append("serviceAccount:" + entity["service_account"]["email"])
    return sorted(found)


def main() -> None:
    address, path, permission, *resources = sys.argv[1:]
    peer, members = Peer(address), principals(path)
    for resource in resources:
        allowed = []
        for start in range(0, len(members), BATCH):
            batch = members[start : start + BATCH]
            requests = [
                {"principal": member, "permission": permission, "resource": resource}
                for member in batch
            ]
            answer = peer.call("postern.v1.AuthorizationService/BatchAuthorize", {"requests": requests})
            for member, item in zip(batch, answer["responses"]):
                if item["response"]["decision"] == "DECISION_ALLOW":
                    allowed.append(member)
        check(f"{len(allowed)} of {len(members)} may {permission} on {resource}", bool(allowed))
        print("    " + " ".join(m.split(":")[1].split("@")[0] for m in allowed))


main()
