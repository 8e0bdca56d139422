"""Draw what `run.py --json` has measured.

    python benchmarks/chart.py build/bench.json docs/benchmarks.svg
"""

import argparse
import json
import pathlib

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "greenlet"  # the same data, the same file
matplotlib.rcParams["svg.fonttype"] = "none"  # letters, not their outlines

from matplotlib import pyplot  # noqa: E402  (what is set above counts at import)

# Title, the row of the tables, what it is called in the yardsticks, unit, scale.
PANELS = (
    ("a switch", "switch_two", "switch", "ns", "linear"),
    ("make, run, finish", "life", "life", "ns", "log"),
    ("memory of a parked one", "memory_parked", "parked", "bytes", "linear"),
)
SIDES = (("oracle", "published", "#b8bcc2"), ("ours", "ours", "#12715b"))
BAR_WIDTH = 0.4
CLOSE = 1.25


def main(description, panels, draw, size):
    """Draw the panels of a report side by side, by `draw(axes, panel, report)`; the command
    line names the report and the picture."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path)
    options = parser.parse_args()
    report = json.loads(options.report.read_text())
    figure, places = pyplot.subplots(1, len(panels), figsize=size, layout="constrained")
    for axes, panel in zip(places, panels, strict=True):
        draw(axes, panel, report)
    handles, labels = places[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(options.picture, metadata={"Date": None})


def draw(axes, panel, report):
    title, row_name, yardstick, unit, scale = panel
    axes.set_title(title)
    axes.set_yscale(scale)
    axes.set_ylabel(f"{unit}, less is better")
    axes.spines[["top", "right"]].set_visible(False)
    versions = [
        ".".join(comparison["python"].split(".")[:2]) for comparison in report["comparisons"]
    ]
    for index, (side, label, color) in enumerate(SIDES):
        heights = [row_of(comparison, row_name)[side] for comparison in report["comparisons"]]
        left = [place + (index - 0.5) * BAR_WIDTH for place in range(len(versions))]
        bars = axes.bar(left, heights, BAR_WIDTH, label=label, color=color)
        axes.bar_label(bars, fmt=compact, fontsize=7)
    if row_name == "switch_two":
        draw_generator(axes, report["comparisons"])
    labels = [f"CPython\n{version}" for version in versions]
    axes.set_xticks(range(len(versions)), labels, fontsize=8)
    draw_yardsticks(axes, yardstick, report["yardsticks"] or {}, len(versions))
    if scale == "log":
        axes.set_ylim(bottom=50)


def draw_generator(axes, comparisons):
    for place, comparison in enumerate(comparisons):
        height = row_of(comparison, "generator_send")["ours"]
        label = "the interpreter's generator" if place == 0 else None
        axes.hlines(height, place - BAR_WIDTH, place + BAR_WIDTH, color="#d08a1d", label=label)


def draw_yardsticks(axes, name, figures, places):
    """A dotted line for each other language, named at its right end; those that
    lie close together share a name."""
    heights = {
        language.split(",")[0]: figure[name] for language, figure in figures.items() if figure
    }
    groups: list[list[str]] = []
    for language in sorted(heights, key=heights.get):
        axes.axhline(heights[language], color="#777777", linewidth=0.7, linestyle=":")
        if groups and heights[language] < CLOSE * heights[groups[-1][-1]]:
            groups[-1].append(language)
        else:
            groups.append([language])
    for group in groups:
        place = (places - 0.45, heights[group[-1]])
        axes.annotate(", ".join(group), place, fontsize=7, va="bottom")


def row_of(comparison, name):
    return next(row for row in comparison["rows"] if row["name"] == name)


def compact(figure):
    return f"{figure:.0f}" if figure < 1000 else f"{figure / 1000:.1f}k"


if __name__ == "__main__":
    main(__doc__, PANELS, draw, size=(12, 4.2))
