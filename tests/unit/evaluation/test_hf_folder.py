import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from unit.evaluation.invented import DAYS, entry, write

from digest.errors import BadInput
from digest.evaluation.hf_folder import choices, instant, lists, snapshots


def test_lists_are_read_by_day_and_forget_their_order(tmp_path: Path) -> None:
    found = lists(write(tmp_path))
    assert len(found) == 12 * len(DAYS)
    assert [one.id for one in found] == sorted(one.id for one in found)
    assert found[0].work.listed_on == DAYS[0]
    assert found[0].work.title == "Agents that plan, part 0"
    assert found[0].work.links["code"] == "https://github.com/someone/something"


def test_the_day_of_a_list_is_that_of_its_file_whatever_its_entries_say(tmp_path: Path) -> None:
    path = tmp_path / "hf_daily" / "early" / "2025-10-06.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([entry("2510.00001", "Agents", 1, submittedOnDailyAt="2025-10-01T10:00:00.000Z")]))
    (one,) = lists(tmp_path)
    assert (one.kind, one.work.listed_on) == ("early", date(2025, 10, 6))


def test_what_is_no_list_is_passed_over(tmp_path: Path) -> None:
    folder = write(tmp_path) / "hf_daily" / "morning"
    (folder / "2025-10-06.json").write_text("no JSON")
    (folder / "2025-10-07.json").write_text('{"error": "busy"}')
    (folder / "notes.json").write_text("[]")
    assert len(lists(tmp_path)) == 12 * len(DAYS)


def test_a_folder_without_lists_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no daily lists"):
        lists(tmp_path)


def test_counts_that_nobody_told_are_not_zero(tmp_path: Path) -> None:
    (tmp_path / "hf_trajectories.csv").write_text(
        "date,paper_id,snapshot_time,lag_hours,upvotes,comments,stars,source\n"
        "2025-10-06,2510.00001,2025-10-06T03:00:00Z,3.0,0,,,E\n"
        "2025-10-06,2510.00001,2025-10-06T08:00:00Z,8.0,,2,many,A\n"
    )
    early, morning = snapshots(tmp_path)
    assert (early.votes, early.comments, early.stars) == (0, None, None)
    assert (morning.votes, morning.comments, morning.stars) == (None, 2, None)
    assert morning.taken_at == datetime(2025, 10, 6, 8, tzinfo=UTC)


def test_a_broken_row_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "hf_trajectories.csv").write_text(
        "date,paper_id,snapshot_time,lag_hours,upvotes,comments,stars,source\n"
        "yesterday,2510.00001,2025-10-06T03:00:00Z,3.0,1,1,,E\n"
        "2025-10-06,2510.00001,2025-10-06T03:00:00Z,nan,1,1,,E\n"
        "2025-10-06,,2025-10-06T03:00:00Z,3.0,1,1,,E\n"
        "2025-10-06\n"
        "2025-10-06,2510.00002,2025-10-06T03:00:00Z,3.0,1,1,,E\n"
    )
    assert [one.id for one in snapshots(tmp_path)] == ["2510.00002"]


def test_a_week_of_an_editor_has_its_picks_with_an_id(tmp_path: Path) -> None:
    (tmp_path / "editorial_picks.csv").write_text(
        "week_start,week_end,rank,arxiv_id,short_title\n"
        "2025-10-06,2025-10-12,1,2510.00001,One\n"
        "2025-10-06,2025-10-12,2,,A product\n"
        "2025-10-06,2025-10-12,3,2510.00002,Two\n"
        "soon,2025-10-12,3,2510.00003,Three\n"
    )
    (week,) = choices(tmp_path)
    assert week.ids == {"2510.00001", "2510.00002"}
    assert (week.begins, week.ends) == (date(2025, 10, 6), date(2025, 10, 12))


def test_without_votes_and_picks_there_are_none(tmp_path: Path) -> None:
    folder = write(tmp_path, votes=False, picks=False)
    assert snapshots(folder) == []
    assert choices(folder) == []


def test_a_day_is_its_first_moment() -> None:
    assert instant("2025-10-06") == datetime(2025, 10, 6, tzinfo=UTC)
    assert instant("2025-10-06T08:00:00Z") == datetime(2025, 10, 6, 8, tzinfo=UTC)
    with pytest.raises(ValueError, match="no such moment"):
        instant("0001-01-01T00:00:00+14:00")


def test_a_file_that_begins_with_a_mark_of_its_byte_order_is_read(tmp_path: Path) -> None:
    line = "2025-10-06,2510.00001,2025-10-06T03:00:00Z,3.0,1,1,,E"
    (tmp_path / "hf_trajectories.csv").write_text(
        f"date,paper_id,snapshot_time,lag_hours,upvotes,comments,stars,source\r\n{line}\r\n", "utf-8-sig", newline=""
    )
    (tmp_path / "editorial_picks.csv").write_text(
        "week_start,week_end,rank,arxiv_id,short_title\n2025-10-06,2025-10-12,1,2510.00001,One\n", "utf-8-sig"
    )
    assert [one.id for one in snapshots(tmp_path)] == ["2510.00001"]
    assert [one.ids for one in choices(tmp_path)] == [{"2510.00001"}]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_from_which_no_days_can_be_counted_is_passed_over(tmp_path: Path, day: str) -> None:
    folder = write(tmp_path)
    (folder / "hf_daily" / "morning" / f"{day}.json").write_text(json.dumps([entry("2510.00001", "Agents", 1)]))
    (folder / "hf_trajectories.csv").write_text(
        "date,paper_id,snapshot_time,lag_hours,upvotes,comments,stars,source\n"
        f"{day},2510.00001,2025-10-06T03:00:00Z,3.0,1,1,,E\n"
    )
    (folder / "editorial_picks.csv").write_text(
        f"week_start,week_end,rank,arxiv_id,short_title\n{day},{day},1,2510.00001,One\n2025-10-06\n"
    )
    assert len(lists(folder)) == 12 * len(DAYS)
    assert snapshots(folder) == []
    assert choices(folder) == []


def test_a_table_with_a_field_of_no_end_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "hf_trajectories.csv").write_text(f"date,paper_id\n{'x' * 200_000}\n")
    with pytest.raises(BadInput, match=r"hf_trajectories\.csv cannot be read: field larger"):
        snapshots(tmp_path)
