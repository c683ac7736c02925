"""Draws as netCDF, opened with ArviZ and xarray: the same draws, names, ESS and R-hat.

usage: netcdf_arviz_test.py LOCKSTEP_BENCH

Exits with 77, and the reason, where ArviZ or xarray cannot be imported or this build is without
netCDF.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
BENCH = ""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


try:
    import arviz as az
    import numpy as np
    import xarray as xr
except ImportError as error:
    skip(f"{error}; set LOCKSTEP_PYTHON to a Python that has arviz, xarray and netCDF4")

# ArviZ 1.0 opens what earlier ones called InferenceData as xarray's DataTree.
GROUPS = ["posterior", "sample_stats"]


def run(*arguments):
    return subprocess.run([BENCH, "run", *map(str, arguments)], capture_output=True, text=True,
                          timeout=300, check=False)


def statistic(function, variable, **options):
    """ArviZ's figure for each entry, in C order."""
    values = np.moveaxis(variable.values, (0, 1), (-2, -1)).reshape(-1, *variable.shape[:2])
    return [float(function(entry, **options)) for entry in values]


class Arviz(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        path = pathlib.Path(cls.folder.name)
        cls.file, cls.fit = path / "d.nc", None
        result = run("--target", "eight-schools-nc", "--chains", 64, "--warmup", 100, "--draws", 101,
                     "--keep-chains", "all", "--draws-out", cls.file, "--json", path / "fit.json")
        if "no netCDF library" in result.stderr:
            skip(result.stderr)
        assert result.returncode == 0, result.stderr
        cls.fit = json.loads((path / "fit.json").read_text())
        cls.files = sorted(f.name for f in path.iterdir())
        cls.data = az.from_netcdf(str(cls.file))

    def group(self, name):
        found = self.data[name]
        return found.to_dataset() if hasattr(found, "to_dataset") else found

    def test_nothing_but_the_files_asked_for(self):
        self.assertEqual(self.files, ["d.nc", "fit.json"])

    def test_layout(self):
        for name in GROUPS:
            with xr.open_dataset(self.file, group=name) as by_xarray:
                self.assertTrue(by_xarray.identical(self.group(name)) or
                                by_xarray.equals(self.group(name)), name)
        posterior, stats = self.group("posterior"), self.group("sample_stats")
        self.assertEqual(list(posterior.data_vars), ["theta", "mu", "tau"])
        self.assertEqual(posterior.theta.dims, ("chain", "draw", "theta_dim_0"))
        self.assertEqual(posterior.theta.shape, (64, 101, 8))
        self.assertEqual(posterior.tau.dims, ("chain", "draw"))
        for variable in posterior.data_vars.values():
            self.assertEqual(variable.dtype, np.float64)
        for name, length in [("chain", 64), ("draw", 101)]:
            self.assertEqual(posterior[name].dtype, np.int64)
            self.assertEqual(list(posterior[name].values), list(range(length)))
        self.assertEqual(list(posterior.theta_dim_0.values), list(range(1, 9)))
        self.assertEqual(set(stats.data_vars), {"acceptance_rate", "energy", "diverging",
                                                "step_size", "n_steps"})
        self.assertEqual(stats.diverging.dtype, bool)
        for attributes in [posterior.attrs, stats.attrs]:
            self.assertEqual(attributes["inference_library"], "lockstep")
            self.assertEqual(attributes["inference_library_version"], self.fit["lockstep"])
            self.assertEqual(json.loads(attributes["sampler"]), self.fit["sampler"])
            self.assertEqual(attributes["seed"], self.fit["seed"])
            self.assertIn("created_at", attributes)

    def test_the_same_law(self):
        """Names on the constrained scale: tau is positive, and means are those of the table."""
        posterior = self.group("posterior")
        self.assertGreater(float(posterior.tau.min()), 0)
        means = {p["name"]: p["mean"] for p in self.fit["parameters"]}
        for j in range(1, 9):
            self.assertAlmostEqual(float(posterior.theta.sel(theta_dim_0=j).mean()),
                                   means[f"theta[{j}]"], places=5)
        stats = self.group("sample_stats")
        self.assertAlmostEqual(float(stats.acceptance_rate.mean()), self.fit["acceptance"], places=6)
        self.assertEqual(int(stats.diverging.sum()), self.fit["divergences"])
        self.assertEqual(int(stats.n_steps.isel(chain=0).sum()), self.fit["gradients"]["sampling"])
        self.assertTrue((stats.step_size == self.fit["sampler"]["step_size"]).all())

    def test_the_same_diagnostics(self):
        posterior = self.group("posterior")
        expected = {"ess_bulk": (az.ess, {"method": "bulk"}), "rhat": (az.rhat, {}),
                    "ess_tail": (az.ess, {"method": "tail"})}
        for figure, (function, options) in expected.items():
            found = [x for v in posterior.data_vars.values()
                     for x in statistic(function, v, **options)]
            ours = [p[figure] for p in self.fit["parameters"]]
            np.testing.assert_allclose(ours, found, rtol=1e-6, err_msg=figure)
        bfmi = np.asarray(az.bfmi(self.data))
        self.assertEqual(bfmi.shape, (64,))

    def test_kept_subset(self):
        file = pathlib.Path(self.folder.name) / "subset.nc"
        result = run("--target", "eight-schools-nc", "--chains", 64, "--warmup", 20, "--draws", 20,
                     "--keep-chains", 3, "--thin", 2, "--keep-parameters", "theta[7],tau,theta[2]",
                     "--draws-out", file)
        self.assertEqual(result.returncode, 0, result.stderr)
        with xr.open_dataset(file, group="posterior") as posterior:
            self.assertEqual(posterior.theta.shape, (3, 10, 2))
            self.assertEqual(list(posterior.theta_dim_0.values), [2, 7])
            self.assertEqual(posterior.attrs["thin"], 2)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BENCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
