"""What check.py makes of a compiler's report: it must see a spill."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check  # noqa: E402


def kernel(target="lockstep::Scg", threads=1, dim=2, spill=0, fixed="true",
           integrator="lockstep::Leapfrog"):
    group = "lockstep::Solo" if threads == 1 else f"lockstep::Tile<(int){threads}>"
    name = (f"void lockstep::cuda::advance_kernel<float, lockstep::Stream<float>, {group}, {target}, "
            f"lockstep::transitions::Hmc<lockstep::DiagonalMetric<float, (int){dim}, (bool){fixed}>, "
            f"{integrator}, lockstep::FullRefreshment, lockstep::Metropolis> >({target})")
    usage = dict(registers=40, stack=0, spill_stores=spill, spill_loads=spill)
    return check.Kernel(name, usage)


class Names(unittest.TestCase):
    def test_is_read_from_the_template_arguments(self):
        k = kernel("lockstep::Icg", 4, 50)
        self.assertEqual((k.target, k.threads, k.dim), ("lockstep::Icg", 4, 50))
        self.assertEqual(k.label, "Icg x4 Leapfrog")
        self.assertIsNone(kernel("lockstep::StdNormalN<1024>", 1, 1024, fixed="false").dim)

    def test_networks(self):
        head = "void lockstep::cuda::advance_"
        small = check.Kernel(
            head + "kernel<float, lockstep::Stream<float>, lockstep::Solo, lockstep::Scg, "
            "lockstep::transitions::L2hmc<float, lockstep::FixedShape<(int)2, (int)10, (int)2>, "
            "lockstep::Metropolis> >(lockstep::Scg)", dict(spill_stores=4, spill_loads=4))
        self.assertEqual((small.label, small.dim), ("Scg x1 L2hmc", 2))
        self.assertTrue(small.must_not_spill())
        for layers, label in (("Plain", "Icg by tiles L2hmc"),
                              ("Matrix", "Icg by tiles on matrix units L2hmc")):
            tiles = check.Kernel(
                head + "tile_kernel<lockstep::Stream<float>, lockstep::Icg, lockstep::transitions::"
                f"L2hmc<float, lockstep::TileShape<lockstep::tile::{layers}Layers>, "
                "lockstep::Metropolis> >(lockstep::Icg)", {})
            self.assertEqual(tiles.label, label)
            self.assertFalse(tiles.must_not_spill())
        training = check.Kernel("void lockstep::cuda::train_kernel<lockstep::Icg>(lockstep::Icg)", {})
        self.assertEqual(training.label, "Icg L2hmc training")

    def test_discontinuous(self):
        metric = "lockstep::AnyMetric<float, (int)3, (bool)0>, float, (int)3"
        for transition, sampler in (
                (f"Dhmc<{metric}, (lockstep::Visit)0, lockstep::Metropolis>", "Dhmc"),
                (f"Dhmc<{metric}, (lockstep::Visit)1, lockstep::Metropolis>", "Mixed"),
                (f"Gibbs<{metric}, lockstep::Metropolis>", "Gibbs")):
            transition = "lockstep::transitions::" + transition
            slices = check.Kernel("void lockstep::cuda::advance_slices_kernel<lockstep::Stream<float>, "
                                  f"lockstep::MixedGrid, {transition} >(lockstep::MixedGrid)", {})
            self.assertEqual(slices.label, f"MixedGrid in slices {sampler}")
            tiles = check.Kernel("void lockstep::cuda::advance_zero_one_kernel<lockstep::Stream<float>, "
                                 f"(int)512, {transition} >(lockstep::ZeroOne<float, (int)512>)", {})
            self.assertEqual(tiles.label, f"ZeroOne by tiles {sampler}")

    def test_other_demangler(self):
        name = kernel().name.replace("(int)", "").replace("(bool)", "")
        self.assertEqual(check.Kernel(name, {}).label, "Scg x1 Leapfrog")


class Reports(unittest.TestCase):
    def test_ptxas(self):
        text = """ptxas info    : Compiling entry function '_Z1av' for 'sm_90'
ptxas info    : Function properties for _Z1av
    144 bytes stack frame, 152 bytes spill stores, 192 bytes spill loads
ptxas info    : Used 128 registers, used 0 barriers, 144 bytes cumulative stack size
ptxas info    : Compiling entry function '_Z1bv' for 'sm_90'
ptxas info    : Function properties for _Z1bv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 0 barriers
"""
        self.assertEqual(check.from_ptxas(text), {
            "_Z1av": dict(registers=128, stack=144, spill_stores=152, spill_loads=192),
            "_Z1bv": dict(registers=40, stack=0, spill_stores=0, spill_loads=0)})

    def test_cuobjdump(self):
        text = """Resource usage:
 Function _Z1av:
  REG:115 STACK:8 SHARED:0 LOCAL:0 CONSTANT[0]:1232 TEXTURE:0 SURFACE:0 SAMPLER:0
"""
        self.assertEqual(check.from_cuobjdump(text), {
            "_Z1av": dict(registers=115, stack=8, spill_stores=0, spill_loads=0)})


class Complaints(unittest.TestCase):
    def found(self, k, spill=0):
        return check.complaints([k], {k.label: dict(registers=40, spill=spill)})

    def test_small_kernels_must_not_spill_whatever_the_baseline(self):
        self.assertEqual(self.found(kernel(spill=0)), [])
        self.assertTrue(self.found(kernel(spill=4), spill=8))
        self.assertTrue(self.found(kernel("lockstep::StdNormal<24>", 1, 24, spill=4), spill=8))
        self.assertTrue(self.found(kernel("lockstep::Icg", 4, 50, spill=4), spill=8))

    def test_others_must_not_spill_more_than_before(self):
        k = kernel("lockstep::Icg", 1, 50, spill=44)
        self.assertEqual(self.found(k, spill=88), [])
        self.assertTrue(self.found(k, spill=87))
        self.assertTrue(check.complaints([k], {}))

    def test_absent_kernels_are_noticed(self):
        self.assertTrue(check.complaints([], {"Scg x1 Leapfrog": dict(registers=48, spill=0)}))


if __name__ == "__main__":
    unittest.main()
