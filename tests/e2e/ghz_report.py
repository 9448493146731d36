"""Reads a ghz report: exit 1 unless every call was answered OK; prints the figures."""

import json
import sys


def main() -> int:
    path, expected = sys.argv[1], int(sys.argv[2])
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
        report = json.load(file)
    codes = report.get("statusCodeDistribution") or {}
    errors = report.get("errorDistribution") or {}
    if report["count"] != expected or codes != {"OK": expected} or errors:
        print(f"of {expected} calls {report['count']} were made: {codes} {errors}")
        return 1
    percentile = {row["percentage"]: row["latency"] / 1e3 for row in report["latencyDistribution"]}
    print(
        f"ok: {expected} x {report['options']['call']}: {report['rps']:.0f} calls/s, "
        f"p50 {percentile[50]:.0f} us, p99 {percentile[99]:.0f} us, no errors"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
