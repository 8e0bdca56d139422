"""Draw what `threads.py --json` has measured: what threads do together.

    python benchmarks/threads_chart.py build/threads.json docs/threads.svg
"""

import chart

PANELS = (("switch_two", "switches"), ("life", "lives: make, run, finish"))
LABELS = {"ours": "", "oracle": ", published"}
STYLES = {"ours": "-", "oracle": ":"}
COLORS = ("#12715b", "#d08a1d", "#5b6fb5")


def draw(axes, panel, report):
    case, title = panel
    axes.set_title(title)
    axes.set_ylabel("in a microsecond, more is better")
    axes.set_xlabel("threads")
    axes.spines[["top", "right"]].set_visible(False)
    for color, (version, rows) in zip(COLORS, report.items()):
        for side, style in STYLES.items():
            shown = points(rows, case, side)
            label = f"{version}{LABELS[side]}"
            axes.plot(*zip(*shown), style, marker="o", color=color, label=label)
            axes.set_xticks([count for count, _ in shown])
    axes.set_ylim(bottom=0)


def points(rows, case, side):
    """Numbers of threads, and what they do together."""
    return [
        (count, figures[1])
        for row_case, count, row_side, figures in rows
        if (row_case, row_side) == (case, side) and figures
    ]


if __name__ == "__main__":
    chart.main(__doc__, PANELS, draw, size=(9, 3.8))
