"""Which of the owner's rules is in force: the narrowest that says anything, part by part."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sync.rules import DEFAULT, FIELDS, BadRule, Rule, Scope, check, effective, sentence
from core.sync.targets import MOST

UNITS = st.none() | st.integers(0, MOST)
RULES = st.builds(Rule, UNITS, st.none() | st.integers(0, 100), UNITS, UNITS, st.none() | st.booleans())


@given(RULES, RULES, RULES, RULES)
def test_each_part_is_what_the_narrowest_rule_says(all_: Rule, shop: Rule, group: Rule, item: Rule) -> None:
    found = effective(all_, shop, group, item)
    expected = asdict(DEFAULT)
    for rule in (all_, shop, group, item):
        expected |= {name: value for name, value in asdict(rule).items() if value is not None}
    assert {name: getattr(found, name) for name in FIELDS} == expected


@given(RULES, RULES, RULES, RULES)
def test_the_origin_names_the_rule_that_decided(all_: Rule, shop: Rule, group: Rule, item: Rule) -> None:
    found = effective(all_, shop, group, item)
    by_scope = {Scope.ALL: all_, Scope.SHOP: shop, Scope.GROUP: group, Scope.ITEM: item, Scope.DEFAULT: DEFAULT}
    narrower: dict[Scope, list[Scope]] = {Scope.ITEM: []}
    for scope, wider in ((Scope.GROUP, Scope.ITEM), (Scope.SHOP, Scope.GROUP), (Scope.ALL, Scope.SHOP)):
        narrower[scope] = [*narrower[wider], wider]
    narrower[Scope.DEFAULT] = [*narrower[Scope.ALL], Scope.ALL]
    for name in FIELDS:
        scope = found.origin[name]
        assert getattr(by_scope[scope], name) == getattr(found, name)
        assert all(getattr(by_scope[each], name) is None for each in narrower[scope]), name


def test_without_any_rule_everything_free_is_offered_and_the_last_units_are_split() -> None:
    found = effective()
    assert (found.buffer, found.share, found.cap, found.zero_below, found.split) == (0, 100, None, 0, True)
    assert set(found.origin.values()) == {Scope.DEFAULT}


def test_an_item_overrides_one_part_and_takes_the_others_from_above() -> None:
    found = effective(Rule(buffer=2, share=50), shop=Rule(cap=20), item=Rule(buffer=0))
    assert (found.buffer, found.share, found.cap) == (0, 50, 20)
    assert found.origin["buffer"] is Scope.ITEM
    assert found.origin["share"] is Scope.ALL
    assert found.origin["cap"] is Scope.SHOP


@pytest.mark.parametrize(
    "rule", [Rule(buffer=-1), Rule(cap=100_000), Rule(zero_below=-3), Rule(share=101), Rule(share=-1)]
)
def test_a_number_that_cannot_be_is_refused_with_a_sentence(rule: Rule) -> None:
    with pytest.raises(BadRule, match="Enter a whole number"):
        check(rule)


@given(RULES)
def test_a_rule_that_can_be_is_taken(rule: Rule) -> None:
    check(rule)


def test_a_rule_is_told_in_few_words() -> None:
    assert sentence(Rule(2, 50, 20)) == "2 kept back, 50% of the rest, at most 20"
    assert sentence(Rule(share=90, zero_below=3)) == "90%, none below 3"
    assert sentence(Rule(split=False)) == "last units not split"
    assert sentence(effective()) == ""
    assert sentence(Rule(cap=MOST)) == "", "the most that TikTok takes is no cap"
