"""Figures into rows with verdicts, rows into a table to be read."""

import bars


def rows(comparison):
    """A row for each case and for each comparison of two of our own."""
    version = tuple(map(int, comparison["python"].split(".")[:2]))
    required, goals = bars.required(version), bars.goals(version)
    found = [row(case, comparison["figures"]) for case in comparison["cases"]]
    found += between_cases(comparison["figures"])
    for line in found:
        line["required"], line["verdict"] = judge(required.get(line["name"]), line)
        line["goal"], line["goal_verdict"] = judge(goals.get(line["name"]), line)
    return found


def row(case, figures):
    figure = figures[case["name"]]
    ratio = divided(figure["oracle"], figure["ours"]) if case["comparable"] else None
    return {
        "name": case["name"],
        "title": case["title"],
        "what": case["what"],
        "unit": case["unit"],
        **figure,
        "ratio": ratio,
    }


def between_cases(figures):
    """Rows that set one of a side's figures against another of the same."""
    wanted = [
        (
            "switch_against_generator",
            "a switch / generator.send",
            "switch_two",
            "generator_send",
        ),
        (
            "cold_10000_against_generators",
            "10 000 in random order: a switch / a generator",
            "cold_switch_10000",
            "cold_generators_10000",
        ),
        (
            "cold_100000_against_generators",
            "100 000 in random order: a switch / a generator",
            "cold_switch_100000",
            "cold_generators_100000",
        ),
        (
            "switch_40_against_two",
            "a switch under 40 C calls / two greenlets",
            "switch_40_c_calls",
            "switch_two",
        ),
        (
            "chain_long_against_short",
            "chain: each of 100 000 / each of 1000",
            "chain_long",
            "chain_short",
        ),
    ]
    for name, title, upper, lower in wanted:
        if upper in figures and lower in figures:
            quotient = {
                side: divided(figures[upper][side], figures[lower][side])
                for side in ("ours", "oracle")
            }
            yield {
                "name": name,
                "title": title,
                "what": f"{upper} divided by {lower}, each side's own",
                "unit": "times",
                **quotient,
                "ratio": divided(quotient["oracle"], quotient["ours"]),
            }


def divided(upper, lower):
    """The quotient; None where there is none, since a figure may also be
    nought, missing, or the words that say why it could not be had."""
    numbers = isinstance(upper, (int, float)) and isinstance(lower, (int, float))
    return upper / lower if numbers and lower else None


def judge(bar, line):
    if bar is None:
        return "", ""
    return str(bar), "PASS" if bar.holds(line["ours"], line["ratio"]) else "FAIL"


HEADINGS = ("what", "ours", "published", "ratio", "needed", "", "goal", "")


def table(comparison):
    lines = [
        f"\n### CPython {comparison['python']}: {comparison['packages']['ours']}"
        f" (ours) against {comparison['packages']['oracle']} (published)\n"
    ]
    if comparison["same_file"]:
        lines.append("Both are the same installation: ratios should be near 1.\n")
    cells = [HEADINGS] + [cells_of(line) for line in comparison["rows"]]
    lines += formatted(cells, left=(0, 5, 7))
    lines.append(f"\n{comparison['seconds']} s; ratio: published / ours, more is better")
    return "\n".join(lines)


def cells_of(line):
    ratio = "-" if line["ratio"] is None else f"{line['ratio']:.2f}x"
    return (
        line["title"],
        shown(line["ours"], line["unit"]),
        shown(line["oracle"], line["unit"]),
        ratio,
        line["required"],
        line["verdict"],
        line["goal"],
        {"PASS": "met", "FAIL": "not yet"}.get(line["goal_verdict"], ""),
    )


def shown(figure, unit):
    if figure is None:
        return "-"
    if isinstance(figure, str):
        return figure
    if figure >= 1000:
        digits = 0
    else:
        digits = 1 if unit == "ns" else 2
    return f"{figure:,.{digits}f} {unit}".replace(",", " ")


def formatted(cells, left):
    """The lines of a Markdown table.  The first row is the head; the columns of
    which `left` holds the numbers are set to the left."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    head, *body = [aligned(line, widths, left) for line in cells]
    return [head, ruled(widths, left), *body]


def aligned(cells, widths, left):
    texts = [
        text.ljust(width) if index in left else text.rjust(width)
        for index, (text, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(texts) + " |"


def ruled(widths, left):
    marks = [
        "-" * (width + 2) if index in left else "-" * (width + 1) + ":"
        for index, width in enumerate(widths)
    ]
    return "|" + "|".join(marks) + "|"
