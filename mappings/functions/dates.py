"""Functions of dates and times, both ways, in the formats that institutions use (see `mappings.dates`)."""

from mappings.date_forms import date_reader, date_writer, moment_reader
from mappings.dates import date_text, later_date, moment_text, read_date, read_moment
from mappings.functions.registry import function


class DateFunctions:
    """Mixed into `MappingFunctions`."""

    @function(
        "date: text", "format: text",
        prepare=date_writer,
        says="A date `YYYY-MM-DD` in a format.",
        examples=(
            ("date('1990-05-17', 'dd/MM/yyyy')", "17/05/1990"),
            ("date('1990-05-17', 'yyyyMMdd')", "19900517"),
            ("date('1990-05-17', 'd MMMM yyyy')", "17 أيار 1990"),
            ("date('1990-05-17', '%d/%m/%Y')", "17/05/1990"),
        ),
    )  # fmt: skip
    def _func_date(self, date: str, format_: str) -> str:
        return date_text(date, format_)

    @function(
        "text: text", "format: text",
        prepare=date_reader,
        says="The date `YYYY-MM-DD` of a text in a format; Arabic digits are read. A day must exist.",
        examples=(
            ("iso_date('١٧/٠٥/١٩٩٠', 'dd/MM/yyyy')", "1990-05-17"),
            ("iso_date('19900517', 'yyyyMMdd')", "1990-05-17"),
            ("iso_date('17 أيار 1990', 'd MMMM yyyy')", "1990-05-17"),
            ("iso_date('1990-05-17+03:00', 'yyyy-MM-dd[XXX]')", "1990-05-17"),
        ),
    )  # fmt: skip
    def _func_iso_date(self, text: str, format_: str) -> str:
        return read_date(text, format_)

    @function(
        "moment: text", "format: text", "zone: text",
        says="A moment (RFC 3339) as the zone's clocks show it; a zone is `+03:00`, `UTC` or an IANA name.",
        examples=(
            ("datetime('2026-03-01T08:00:00Z', 'dd/MM/yyyy HH:mm:ss', '+03:00')", "01/03/2026 11:00:00"),
            ("datetime('2026-03-01T08:00:00Z', 'yyyy-MM-ddTHH:mm:ssXXX', '+03:00')", "2026-03-01T11:00:00+03:00"),
        ),
    )  # fmt: skip
    def _func_datetime(self, moment: str, format_: str, zone: str) -> str:
        return moment_text(moment, format_, zone)

    @function(
        "text: text", "format: text", "zone: text",
        prepare=moment_reader,
        says="The moment (RFC 3339, UTC) of a date and time; the zone counts where the text has none of its own. A "
        "time that the zone's clocks skip or show twice is refused.",
        examples=(
            ("iso_datetime('01/03/2026 11:00:00', 'dd/MM/yyyy HH:mm:ss', '+03:00')", "2026-03-01T08:00:00Z"),
            ("iso_datetime('2026-03-01T11:00:00+03:00', 'yyyy-MM-ddTHH:mm:ssXXX', 'UTC')", "2026-03-01T08:00:00Z"),
            (
                "iso_datetime('2026-03-01T11:00:00.25', 'yyyy-MM-ddTHH:mm:ss[.S][XXX]', '+03:00')",
                "2026-03-01T08:00:00.250Z",
            ),
        ),
    )  # fmt: skip
    def _func_iso_datetime(self, text: str, format_: str, zone: str) -> str:
        return read_moment(text, format_, zone)

    @function(
        "date: text", "months: whole number", "days: whole number",
        says="A date `YYYY-MM-DD` so many months and then days later, earlier with a minus; where the month is "
        "shorter, its last day.",
        examples=(
            ("later_date('2026-03-02', `12`, `-1`)", "2027-03-01"),
            ("later_date('2026-01-31', `1`, `0`)", "2026-02-28"),
        ),
    )  # fmt: skip
    def _func_later_date(self, date: str, months: int, days: int) -> str:
        return later_date(date, months, days)
