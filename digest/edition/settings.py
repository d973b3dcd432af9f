"""What an operator may set about the times of editions."""

from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from digest.clock import Duration
from digest.errors import BadInput
from digest.subscribers.model import parse_hour, parse_zone

WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _zone(text: str) -> str:
    try:
        return parse_zone(text)
    except BadInput as error:
        raise ValueError(str(error)) from error


def _time_of_day(value: object) -> time:
    if isinstance(value, time) and value == value.replace(second=0, microsecond=0, tzinfo=None):
        return value
    try:
        return parse_hour(str(value))
    except BadInput as error:
        raise ValueError(str(error)) from error


def _weekday(value: object) -> int:
    word = str(value).strip().lower()
    for number, name in enumerate(WEEKDAY_NAMES):
        if word in (name, name[:3]):
            return number
    # A number is refused: some count from Sunday, some from Monday, some from 1.
    raise ValueError(f"{str(value)[:20]!r} is not a weekday; write its name, like monday")


Zone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day), PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str)]
Weekday = Annotated[int, BeforeValidator(_weekday), PlainSerializer(lambda day: WEEKDAY_NAMES[day], return_type=str)]


class ScheduleSettings(BaseModel):
    """When editions are frozen. `weekly_on`: 0 is Monday; it is written by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    timezone: Zone = "UTC"
    publish_at: TimeOfDay = time(6)
    weekly_on: Weekday = 0
    catch_up: Duration = Field(default=timedelta(hours=12), gt=timedelta(0), le=timedelta(days=7))
