#!/usr/bin/env python3
"""Packs the i-quants' value grids into quant/codebooks/*.inc.

usage: make_codebooks.py FOLDER     FOLDER holds iq2_xxs.txt, ...: one entry a line, 8 or 4 values

An entry becomes one number: the place of each value among the grid's distinct values, ascending, first value in the
lowest digit, in base n where n is how many distinct values there are. codebooks.cpp unpacks them.
"""
import pathlib
import sys


def pack(path):
    rows = [[int(v) for v in line.split()] for line in path.read_text().splitlines() if line.strip()]
    values = sorted({v for row in rows for v in row})
    packed = [sum(values.index(v) * len(values) ** i for i, v in enumerate(row)) for row in rows]
    return values, packed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(__file__).resolve().parent.parent / "quant" / "codebooks"
    for name in ("iq1_s", "iq2_xxs", "iq2_xs", "iq2_s", "iq3_xxs", "iq3_s"):
        values, packed = pack(source / f"{name}.txt")
        lines = [f"// {name}: values {' '.join(map(str, values))}. Made by scripts/make_codebooks.py."]
        for i in range(0, len(packed), 16):
            lines.append(",".join(map(str, packed[i : i + 16])) + ",")
        (target / f"{name}.inc").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
