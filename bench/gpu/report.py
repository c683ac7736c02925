"""What gpu_report's measurements mean: fractions of the card's ceilings, and the Markdown page."""

# Issue slots and special-function (MUFU) instructions of the leapfrog loop per step and chain, and
# slots of a transition apart from its steps (momentum, half kicks, energies, acceptance). Counted in
# the SASS of hand-reduced prototypes of these kernels for sm_90: the loop is unrolled by four, special
# functions are the approximate ones, subnormals are flushed, and statistics stay in registers. The
# library's kernels do more (IEEE division and square root, exact exponentials, a trace for the
# statistics), so that a fraction says how near they come to the least that the algorithm needs.
# The fixed part of german-credit is an estimate: it is a thousandth of a ten-step transition.
COUNTS = {
    "scg": dict(slots=6.75, mufu=0, fixed=119),
    "mog": dict(slots=10.75, mufu=2, fixed=132),
    "rough-well": dict(slots=20.75, mufu=2, fixed=147),
    "eight-schools-nc": dict(slots=69.75, mufu=2, fixed=424),
    "icg": dict(slots=110, mufu=0, fixed=1792),
    "german-credit": dict(slots=60500, mufu=2000, fixed=820),
}


def bound(target, leapfrog, probes):
    """(transitions per second at best, the pipe that says so), or None where nothing was counted."""
    counts = COUNTS.get(target)
    if counts is None or not probes:
        return None
    issue = probes["ffma_per_second"] / (counts["fixed"] + leapfrog * counts["slots"])
    best = (issue, "issue")
    if counts["mufu"] > 0:
        best = min(best, (probes["mufu_per_second"] / (leapfrog * counts["mufu"]), "MUFU"))
    return best


def with_bounds(rows, probes):
    """Rows of `lockstep-bench speed`, each with its bound and the fraction of it."""
    result = []
    for row in rows:
        row = dict(row)
        best = bound(row["target"], row["leapfrog"], probes)
        row["bound"], row["pipe"] = best if best else (None, None)
        rate = row.get("transitions_per_second")
        row["fraction"] = rate / best[0] if best and rate else None
        result.append(row)
    return result


FLOAT, MATRIX_UNITS = "float", "3 bfloat16"  # the products of a weight and a unit


def with_l2hmc_bounds(rows, probes):
    """Rows of `lockstep-bench speed --sampler l2hmc` and their `products`, each with its bound, the
    multiply-adds of the networks' matrices and nothing else, and the fraction of it."""
    result = []
    for row in rows:
        row = dict(row)
        best = probes and (probes["mma_per_second"] / 3 if row["products"] == MATRIX_UNITS
                           else probes["ffma_per_second"])
        row["bound"] = best / row["fma_per_transition"] if best else None
        rate = row.get("transitions_per_second")
        row["fraction"] = rate / row["bound"] if row["bound"] and rate else None
        result.append(row)
    return result


# The same of one coordinate update of discontinuous HMC. jolly-seber: a count's likelihood in a
# hand-reduced prototype with its state in shared memory. zero-one: for each of 1480 rows (1477 and
# padding) what kernels/integrators/zero_one_tile.cuh counts: 6.5 issue slots, and 10 bytes of shared
# memory, of which a multiprocessor moves 128 in a clock, as many as it does multiply-adds.
DHMC_COUNTS = {
    "jolly-seber": dict(slots=31, mufu=2, shared=0),
    "zero-one": dict(slots=6.5 * 1480, mufu=0, shared=10 * 1480),
}


def with_dhmc_bounds(rows, probes):
    """Rows of `lockstep-bench speed --sampler dhmc`, each with its bound and the fraction of it."""
    result = []
    for row in rows:
        row = dict(row, bound=None, pipe=None, fraction=None)
        counts = DHMC_COUNTS.get(row["target"])
        if counts and probes:
            clocks = probes["ffma_per_second"]
            pipes = [(clocks / counts["slots"], "issue")]
            if counts["mufu"] > 0:
                pipes.append((probes["mufu_per_second"] / counts["mufu"], "MUFU"))
            if counts["shared"] > 0:
                pipes.append((clocks / counts["shared"], "shared memory"))
            row["bound"], row["pipe"] = min(pipes)
            rate = row.get("updates_per_second")
            row["fraction"] = rate / row["bound"] if rate else None
        result.append(row)
    return result


def comparable(peer, ours):
    """Why a peer's figure cannot be compared with ours, or None: both must be the same sampler."""
    if ours is None or ours.get("acceptance") is None:
        return "our own acceptance is unknown"
    if abs(peer["acceptance"] - ours["acceptance"]) > 0.01:
        return f"acceptance {peer['acceptance']:.3f}, ours {ours['acceptance']:.3f}"
    for name, z in (("mean", peer.get("mean_z")), ("variance", peer.get("variance_z"))):
        if z is not None and abs(z) > 4:
            return f"its {name} is {z:.1f} standard errors off"
    return None


def number(x, digits=3):
    return "-" if x is None else f"{x:.{digits}g}"


def percent(x):
    return "-" if x is None else f"{100 * x:.0f} %"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]
    return "\n".join(lines)


def microseconds(per_second):
    return number(1e6 / per_second) if per_second else "-"


def peer_rows(results):
    ours = {(r["target"], r["chains"], r["leapfrog"]): r["transitions_per_second"]
            for r in results.get("speed", [])}
    rows = []
    for p in results.get("peers", []):
        mine = ours.get((p["target"], p["chains"], p["leapfrog"]))
        if p.get("error"):
            rows.append([p["target"], p["chains"], p["method"], "-", "-", "-", p["error"]])
            continue
        void = comparable(p, results.get("acceptance", {}).get(p["target"]))
        ratio = mine / p["transitions_per_second"] if mine and not void else None
        rows.append([p["target"], p["chains"], p["method"], number(p["transitions_per_second"]),
                     number(ratio), number(p["compile_seconds"]), f"void: {void}" if void else ""])
    return rows


PARTS = ["preparation", "warmup", "sampling"]


def markdown(results):
    device = results.get("device", {})
    lines = [f"# Lockstep on {device.get('name', 'a GPU')}", ""]
    lines += [f"{results.get('date', '')}, Lockstep {results.get('lockstep', '?')}, driver "
              f"{device.get('driver', '?')}, {results.get('cuda', 'CUDA ?')}.", ""]
    lines += ["## Steps", "",
              table(["step", "outcome", "seconds", "note"],
                    [[s["name"], s["outcome"], f"{s['seconds']:.0f}", s.get("note", "")]
                     for s in results.get("steps", [])]), ""]
    probes = results.get("probes")
    if probes:
        lines += ["## Ceilings of this card, probed", "",
                  table(["what", "per second"],
                        [["fused multiply-adds", number(probes["ffma_per_second"])],
                         ["multiply-adds of bfloat16 on matrix units",
                          number(probes["mma_per_second"])],
                         ["special functions", number(probes["mufu_per_second"])],
                         ["bytes copied, read + written", number(probes["copy_per_second"])]]), ""]
    if results.get("speed"):
        lines += ["## Transitions per second", "",
                  "Fixed step size, unit metric, statistics streamed. The bound is the probed ceiling "
                  "over the instructions that the algorithm needs (bench/gpu/report.py says how they "
                  "were counted); no figure where none were counted.", "",
                  table(["target", "chains", "L", "transitions/s", "steps/s", "bound", "by",
                         "of bound"],
                        [[r["target"], r["chains"], r["leapfrog"],
                          number(r["transitions_per_second"]), number(r["steps_per_second"]),
                          number(r["bound"]), r["pipe"] or "-", percent(r["fraction"])]
                         for r in results["speed"]]), ""]
    if results.get("l2hmc"):
        lines += ["## L2HMC", "",
                  "Sampling on this card, by untrained networks of the paper's shapes. The bound is "
                  "the probed rate of multiply-adds over those of the networks' matrices: in float, "
                  "or a third of the matrix units', which do three for each. A training iteration "
                  "is the batch's transition and its gradient, without the optimiser.",
                  "",
                  table(["target", "units", "products", "chains", "T", "transitions/s", "steps/s",
                         "bound", "of bound", "batch", "training iteration, us"],
                        [[r["target"], r["width"], r["products"], r["chains"], r["leapfrog"],
                          number(r["transitions_per_second"]),
                          number(r["leapfrog"] * r["transitions_per_second"]), number(r["bound"]),
                          percent(r["fraction"]), r["batch"],
                          microseconds(r["iterations_per_second"])]
                         for r in results["l2hmc"]]), ""]
    if results.get("dhmc"):
        lines += ["## Discontinuous HMC", "",
                  "Updates are visits of coordinates along which the density jumps, with all else "
                  "that a transition does; zero-one's design is synthetic, 1477 x 377. Bounds as "
                  "above.", "",
                  table(["target", "parameters", "of them jump", "chains", "L", "updates/s",
                         "bound", "by", "of bound"],
                        [[r["target"], r["dimension"], r["sites"], r["chains"], r["leapfrog"],
                          number(r["updates_per_second"]), number(r["bound"]), r["pipe"] or "-",
                          percent(r["fraction"])]
                         for r in results["dhmc"]]), ""]
    if results.get("prepared"):
        lines += ["## A fit before the warm-up", "",
                  "Gradients are those of a chain; ESS per second is of the worst parameter, "
                  "preparation and warm-up counted.", "",
                  table(["target", "init", "k-hat", "gradients: fit", "warm-up", "sampling",
                         "seconds: fit", "warm-up", "sampling", "nested R-hat", "ESS/s"],
                        [[r["target"], r["init"], number(r["k_hat"]),
                          *(str(r["gradients"][part]) for part in PARTS),
                          *(number(r["seconds"][part]) for part in PARTS),
                          number(r["nested_rhat"], 5), number(r["ess_per_second"])]
                         for r in results["prepared"]]), ""]
    lines += ["## The same HMC elsewhere", ""]
    if results.get("peers"):
        lines += ["Same step size, steps, metric, starts and float32; compilation apart; a case is "
                  "void unless acceptance agrees to 0.01 and moments to 4 standard errors.", "",
                  table(["target", "chains", "method", "transitions/s", "ours over it",
                         "compile, s", ""], peer_rows(results)), ""]
    else:
        lines += [results.get("peers_absent", "Not run."), ""]
    return "\n".join(lines)
