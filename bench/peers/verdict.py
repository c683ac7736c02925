"""From repetitions to a row: ratios with their spread, and when a row is void. Plain Python."""

import math
import statistics

ACCEPTANCE_TOLERANCE = 0.01  # absolute
MOMENT_TOLERANCE = 4  # combined Monte Carlo standard errors


def quartiles(values):
    """(25 %, median, 75 %), linear between the sorted values."""
    ordered = sorted(values)

    def at(p):
        place = p * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return at(0.25), at(0.5), at(0.75)


def pooled(repetitions):
    """(figures, errors) of n independent repetitions: means, and root of summed squares / n."""
    n = len(repetitions)
    figures = [sum(column) / n for column in zip(*(r["moments"] for r in repetitions))]
    errors = [math.sqrt(sum(e * e for e in column)) / n
              for column in zip(*(r["errors"] for r in repetitions))]
    return figures, errors


def worst_moment(ours, theirs):
    """The largest distance of a moment, in combined standard errors; not finite if any is not."""
    (a, da), (b, db) = pooled(ours), pooled(theirs)
    if len(a) != len(b):
        return math.inf
    worst = 0.0
    for x, dx, y, dy in zip(a, da, b, db):
        error = math.hypot(dx, dy)
        if not math.isfinite(x - y) or not math.isfinite(error):
            return math.inf
        if x != y:
            worst = max(worst, abs(x - y) / error if error > 0 else math.inf)
    return worst


def void_reason(ours, theirs):
    """Why the two did not sample the same thing the same way, or None."""
    a, b = (statistics.fmean(r["acceptance"] for r in side) for side in (ours, theirs))
    if not abs(a - b) <= ACCEPTANCE_TOLERANCE:
        return f"acceptance {b:.3f}, ours {a:.3f}"
    z = worst_moment(ours, theirs)
    if not z <= MOMENT_TOLERANCE:
        return f"a moment is {z:.1f} standard errors from ours"
    for name, side in (("ours", ours), ("theirs", theirs)):
        if not all(r["ess"] > 0 and r["seconds"] > 0 for r in side):
            return f"no ESS or no time of {name}"
    return None


def efficiency_row(target, peer, ours, theirs):
    """One row from paired repetitions, each dict(seconds, cpu_seconds, ess, acceptance,
    moments, errors).

    The ratio is ours over theirs within a repetition, so that what else the machine does while it
    runs acts on both.
    """
    row = dict(target=target, peer=peer, unit="ESS/s", ours=None, theirs=None, ratio=None, q25=None,
               q75=None, acceptance_ours=statistics.fmean(r["acceptance"] for r in ours),
               acceptance_theirs=statistics.fmean(r["acceptance"] for r in theirs),
               void=void_reason(ours, theirs))
    if all(r["ess"] > 0 and r["seconds"] > 0 for r in [*ours, *theirs]):
        rates = [[r["ess"] / r["seconds"] for r in side] for side in (ours, theirs)]
        row["ours"], row["theirs"] = map(statistics.median, rates)
        row["q25"], row["ratio"], row["q75"] = quartiles([a / b for a, b in zip(*rates)])
        # Free of the noise of the ESS estimates: the same kernel has one ESS per draw.
        row["speed_ratio"] = statistics.median(b["seconds"] / a["seconds"]
                                               for a, b in zip(ours, theirs))
        if all(r["cpu_seconds"] > 0 for r in [*ours, *theirs]):
            row["cpu_ratio"] = statistics.median(
                a["ess"] / a["cpu_seconds"] * b["cpu_seconds"] / b["ess"]
                for a, b in zip(ours, theirs))
    return row


def rate_row(target, peer, unit, ours, theirs, void):
    """One row from paired rates of repetitions; as many of each."""
    q25, ratio, q75 = quartiles([a / b for a, b in zip(ours, theirs)])
    return dict(target=target, peer=peer, unit=unit, ours=statistics.median(ours),
                theirs=statistics.median(theirs), ratio=ratio, q25=q25, q75=q75, void=void)


def failed_row(target, peer, reason):
    return dict(target=target, peer=peer, unit="ESS/s", ours=None, theirs=None, ratio=None, q25=None,
                q75=None, void=reason)


def cold_row(target, peer, ours, theirs):
    """One row from seeds, each dict(gradients, warmup_gradients, seconds, converged)."""
    row = dict(target=target, peer=peer, unit="gradients per chain", ours=None, theirs=None,
               ratio=None, q25=None, q75=None, void=None)
    late = [name for name, side in (("ours", ours), (peer, theirs))
            if not side or not all(r["converged"] for r in side)]
    if late:
        row["void"] = f"not below the bound: {', '.join(late)}"
    if ours and theirs:
        row["ours"], row["theirs"] = (statistics.median(r["gradients"] for r in side)
                                      for side in (ours, theirs))
        row["q25"], row["ratio"], row["q75"] = quartiles(
            [a["gradients"] / b["gradients"] for a, b in zip(ours, theirs)])
        for name, side in (("ours", ours), ("theirs", theirs)):
            row[f"seconds_{name}"] = statistics.median(r["seconds"] for r in side)
            row[f"warmup_gradients_{name}"] = statistics.median(r["warmup_gradients"] for r in side)
    return row


def number(x, digits=3):
    return "-" if x is None else f"{x:.{digits}g}"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def efficiency_table(rows):
    return table(
        ["target", "peer", "ours, ESS/s", "theirs, ESS/s", "ratio", "quartiles", "of CPU time, at least",
         "acceptance", ""],
        [[r["target"], r["peer"], number(r["ours"]), number(r["theirs"]),
          "void" if r["void"] else number(r["ratio"]),
          "-" if r["void"] or r["q25"] is None else f"{number(r['q25'])} - {number(r['q75'])}",
          "-" if r["void"] else number(r.get("cpu_ratio")),
          "-" if "acceptance_ours" not in r else
          f"{r['acceptance_ours']:.3f}, {r['acceptance_theirs']:.3f}",
          f"void: {r['void']}" if r["void"] else ""] for r in rows])


def cold_table(rows):
    return table(
        ["target", "peer", "ours, gradients (warm-up)", "theirs", "ratio", "quartiles",
         "ours, s", "theirs, s", ""],
        [[r["target"], r["peer"],
          f"{number(r['ours'], 4)} ({number(r.get('warmup_gradients_ours'), 4)})",
          f"{number(r['theirs'], 4)} ({number(r.get('warmup_gradients_theirs'), 4)})",
          "void" if r["void"] else number(r["ratio"]),
          "-" if r["void"] or r["q25"] is None else f"{number(r['q25'])} - {number(r['q75'])}",
          number(r.get("seconds_ours")), number(r.get("seconds_theirs")),
          f"void: {r['void']}" if r["void"] else ""] for r in rows])


def rate_table(rows):
    return table(
        ["target", "chains", "unit", "ours", "theirs", "ratio", "quartiles", ""],
        [[r["target"], str(r.get("chains", "-")), r["unit"], number(r["ours"]),
          number(r["theirs"]), "void" if r["void"] else number(r["ratio"]),
          "-" if r["void"] else f"{number(r['q25'])} - {number(r['q75'])}",
          f"void: {r['void']}" if r["void"] else ""] for r in rows])
