from torture.ranking import measure


def test_the_bench_of_ranking_chooses_for_all_its_readers_in_several_chunks() -> None:
    found = measure(readers=700, candidates=150, profiles=9, older=400)
    assert found.readers == 700
    assert 10 <= found.picks <= 20
    assert 1 <= found.facets <= 3
    assert found.terms <= 256
    assert set(found.stages) == {"gather", "score", "list", "choose"}
