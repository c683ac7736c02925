"""extract_program.py README OUTPUT: writes README's first C++ block, so that what stands there is
what is compiled. Fails when there is none, or when it is not a program that uses the library."""

import pathlib
import re
import sys

readme, output = map(pathlib.Path, sys.argv[1:])
if not readme.is_file():
    sys.exit(f"{readme} does not exist")
block = re.search(r"^```cpp\n(.*?)^```", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
if block is None:
    sys.exit(f"{readme} has no ```cpp block")
program = block.group(1)
for needed in ("#include <lockstep/lockstep.hpp>", "int main("):
    if needed not in program:
        sys.exit(f"{readme}: the first ```cpp block lacks '{needed}'")
output.parent.mkdir(parents=True, exist_ok=True)
output.write_text(program, encoding="utf-8")
