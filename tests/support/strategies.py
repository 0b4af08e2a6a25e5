"""Hypothesis strategies: random patterns and rule sets."""

from hypothesis import strategies as st

from lrd_registry.rule_files.load import rule_set_from_mapping

PLAIN = ["a", "b_1", "weight", "0", "*", "a*", "*b", "a*b*c", "**"]
INDEXED = ["#", "layer#", "#th", "a#_*", "*b#"]
INDICES = ["i", "stage", "_k2"]

# Texts that YAML reads as something else where they are not quoted come up often.
NAMES = st.sampled_from(["stem", "no", "null", "12", "1e3", "0x1f", "-", "_"]) | st.text(
    "abcXYZ019_-", min_size=1, max_size=8
)
TEXTS = st.sampled_from(["", "~", "1:30", "a: b", "# c", "*", "x\n  y\n", "2001-01-01"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=40
)


@st.composite
def pattern_texts(draw, indices=()):
    """A pattern that captures exactly `indices`, in any order."""
    segments = draw(st.lists(st.sampled_from(PLAIN), min_size=not indices, max_size=3))
    for index in draw(st.permutations(indices)):
        segment = draw(st.sampled_from(INDEXED)).replace("#", f"{{{index}}}")
        segments.insert(draw(st.integers(0, len(segments))), segment)
    return ".".join(segments)


def one_or_list(items, **bounds):
    """One item, or a list of items; rule files take either for patterns."""
    return items | st.lists(items, **bounds)


def subsets(items, min_size=0):
    """Some of `items`, in any order."""
    return (
        st.lists(st.sampled_from(items), min_size=min_size, unique=True) if items else st.just([])
    )


@st.composite
def entry_bodies(draw, is_first):
    """What stands behind an entry's name: patterns, or a mapping."""
    captured = draw(subsets(INDICES))
    match = draw(one_or_list(pattern_texts(captured), min_size=1, max_size=3))
    if draw(st.booleans()):
        return match
    body = {"match": match}
    if draw(st.booleans()):
        captured = body["index"] = [name for name in draw(subsets(INDICES)) if name in captured]
    joined = subsets(captured).flatmap(pattern_texts)
    keys = {"optional": st.booleans()}
    if captured:
        keys |= {"every": st.integers(1, 9), "first": one_or_list(joined, max_size=2)}
        keys |= {"last": one_or_list(joined, max_size=2)}
    if not is_first:
        keys["previous"] = one_or_list(joined, max_size=2)
    elif captured:
        within = subsets(captured, min_size=1).flatmap(pattern_texts)
        keys["previous"] = one_or_list(within, max_size=2)
    return body | draw(st.fixed_dictionaries({}, optional=keys))


@st.composite
def layer_lists(draw):
    """The `layers` of a layout."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return [{name: draw(entry_bodies(is_first=name is names[0]))} for name in names]


@st.composite
def layouts_with_prefix(draw):
    """A layout whose last entry is of one layer, with patterns outside the layout's prefix."""
    prefixes = one_or_list(st.sampled_from(["net", "model.net", "0"]), min_size=1, max_size=2)
    head = {"match": draw(pattern_texts()), "outside": draw(one_or_list(pattern_texts()))}
    layers = [*draw(layer_lists()), {"the-last-entry": head}]
    return {"prefix": draw(prefixes), "layers": layers}


def rule_mappings():
    """The plain data of valid rule files."""
    patterns = one_or_list(pattern_texts(), max_size=3)
    layout = st.fixed_dictionaries({"layers": layer_lists()}, optional={"signature": patterns})
    layout |= layouts_with_prefix()
    common = {"arch": NAMES}
    optional = {
        "format": st.just(1),
        "summary": TEXTS,
        "sources": st.lists(st.fixed_dictionaries({"what": TEXTS, "where": TEXTS}), max_size=2),
        "no_weight_decay": patterns,
    }
    layouts = st.dictionaries(NAMES, layout, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        common | {"layouts": layouts}, optional=optional
    ) | st.fixed_dictionaries(common | {"layers": layer_lists()}, optional=optional)


def rule_sets():
    """Valid rule sets."""
    return rule_mappings().map(rule_set_from_mapping)
