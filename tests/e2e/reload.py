"""Edits the snapshot that a server serves, and sees the answers change; then breaks it."""

import os
import pathlib
import sys

from peer import Peer, check, wait_for

INSPECTOR = "organizations/acme/teams/vision/projects/inspector"
OLD = '    - role: roles/team.viewer\n      members: ["user:erin@acme.example"]\n'
NEW = '    - role: roles/team.member\n      members: ["user:erin@acme.example"]\n'


def main() -> None:
    peer, path = Peer(sys.argv[1]), pathlib.Path(sys.argv[2])
    good = path.read_text()
    check("the example has the binding to edit", good.count(OLD) == 1)

    def erin() -> dict:
        return peer.authorize("user:erin@acme.example", "models.runs.create", INSPECTOR)

    before = erin()
    check("before: deny", before["decision"] == "DECISION_DENY", before)

    # in place, as an editor without a swap file does
    path.write_text(good.replace(OLD, NEW))
    wait_for("edited in place: allow", 10, lambda: erin()["decision"] == "DECISION_ALLOW")
    after = erin()
    check("the revision grew", int(after["revision"]) > int(before["revision"]), after)

    # a broken file changes nothing
    path.write_text(good.replace(OLD, NEW).replace("visibility: OPEN", "visibility: AJAR"))
    wait_for("the snapshot service tells of the broken file", 10, lambda: "AJAR" in str(
        peer.call("postern.v1.SnapshotService/GetSnapshot", {})))
    check("a broken file: last good serves", erin()["decision"] == "DECISION_ALLOW")
    check("and its revision stays", erin()["revision"] == after["revision"])

    # renamed over, as most tools do
    aside = path.with_suffix(".new")
    aside.write_text(good)
    os.replace(aside, path)
    wait_for("renamed over: deny again", 10, lambda: erin()["decision"] == "DECISION_DENY")
    check("at a newer revision", int(erin()["revision"]) > int(after["revision"]))


main()
