"""`jisr backup` and `jisr restore`: take a copy of the record while it is in use, and put one back."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from jisr import admin_client, admin_socket
from jisr.errors import CommandError
from jisr.terminal import Front, front

if TYPE_CHECKING:
    from gateway.backup.taking import Progress as Told

_WORDS = {
    "record": ("السجلّ", "record"),
    "statements": ("كشوف الجهات", "statements"),
    "verifying": ("التحقق", "verifying"),
    "doubting": ("الطلبات المفتوحة", "open requests"),
}


def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where backups go; each gets a folder of its own there.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Also the keyring and the settings file, in clear. Better kept apart.")
    ] = False,
) -> None:
    """Take a backup, beside a running server or without one, and verify it.

    The record is copied as it stood at one moment, with the institutions' files and a manifest with the SHA-256 of
    every part. Keys are not copied unless you ask: without the keyring nobody reads the backup, and you neither.

    Examples:

      jisr backup /mnt/backups

      jisr restore --check /mnt/backups/jisr-20261125T030000Z
    """
    from gateway.backup.taking import Order, take
    from gateway.security.keyring import Keyring
    from gateway.store.clock import Clock
    from jisr.cli import installed_version

    here = front(context)
    settings = here.settings()
    keyring = Keyring.load(settings.keyring_path)
    order = Order(folder.absolute(), installed_version(), here.settings_file(), with_keys)
    with _shown(here) as progress:
        taken = take(settings, keyring, Clock(), order, progress)
    size = sum(part.bytes for part in taken.manifest.parts) / 1024**2
    here.out.print(str(taken.folder), markup=False)
    here.say(
        f"[green]✓[/] {len(taken.manifest.parts)} من الأجزاء، {size:.1f} ميغابايت، قُرئت كلها من جديد وطابقت بصماتها.",
        f"[green]✓[/] {len(taken.manifest.parts)} part(s), {size:.1f} MiB, all read again and found as written.",
    )
    keys = ", ".join(taken.manifest.keyring.ids)
    if with_keys:
        here.say(
            "[yellow]![/] المفاتيح في النسخة مكشوفة (secrets/): من يأخذها يقرأ كل شيء. احفظها حيث لا يصل إليها غيرك.",
            "[yellow]![/] The keys lie in the backup in clear (secrets/): whoever has it reads everything. Keep it so.",
        )
        return
    here.say(
        f"[yellow]![/] المفاتيح ({keys}) ليست فيها. احفظ {settings.keyring_path} وملف الإعدادات في مكان آخر: "
        "لا تُقرأ النسخة من دون المفاتيح.",
        f"[yellow]![/] The keys ({keys}) are not in it. Keep {settings.keyring_path} and the settings file apart, in "
        "another place: without the keys the backup cannot be read.",
    )


def restore(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="The backup: a folder with manifest.json.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only look through the backup; nothing is changed.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also over a record that is not empty, which is kept aside.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="How restore mode stands.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="End restore mode: what was held goes.")] = False,
) -> None:
    """Put a backup back, and end restore mode later, once what is in doubt was looked at.

    After a restoration every request that was open is in doubt: nothing with an effect is done again until inquiry, a
    statement or people say that it was not done. New requests are accepted and held until restore mode ends.

    Examples:

      jisr restore /mnt/backups/jisr-20261125T030000Z

      jisr restore --status

      jisr restore --finish
    """
    here = front(context)
    if [folder is not None, status, finish].count(True) != 1 or (folder is None and (check or force)):
        raise CommandError(
            here.text(
                "اذكر واحداً: مجلد النسخة، أو ‎--status، أو ‎--finish؛ و‎--check و‎--force مع المجلد فقط.",
                "Name one: the backup's folder, or --status, or --finish; --check and --force go with the folder only.",
            )
        )
    if folder is not None:
        _restore(here, folder.absolute(), check=check, force=force)
    elif status:
        _status(here, admin_client.call(here.settings(), "restore.status"))
    else:
        _finish(here)


def _restore(here: Front, folder: Path, *, check: bool, force: bool) -> None:
    from gateway.backup.putting_back import check as look_through
    from gateway.backup.putting_back import put_back
    from gateway.security.keyring import Keyring
    from gateway.store.clock import Clock

    settings = here.settings()
    keyring = Keyring.load(settings.keyring_path)
    if check:
        with _shown(here) as progress:
            manifest = look_through(folder, keyring, settings.keyring_path, progress)
        here.say(
            f"[green]✓[/] النسخة سليمة: الأجزاء {len(manifest.parts)}، المخطط {manifest.revision}، {manifest.server}.",
            f"[green]✓[/] The backup is whole: {len(manifest.parts)} part(s), schema {manifest.revision}, "
            f"{manifest.server}.",
        )
        return
    if admin_socket.answers(settings.admin_socket_path):
        raise CommandError(
            here.text(
                "الخادم يعمل: أوقف ‎`jisr serve` أولاً، ثم أعد الأمر.",
                "The server is running: stop `jisr serve` first, then repeat the command.",
            )
        )
    with _shown(here) as progress:
        done = put_back(settings, keyring, Clock(), folder, force=force, progress=progress)
    here.say("[green]✓[/] استُعيدت النسخة، ووضع الاستعادة قائم.", "[green]✓[/] The backup is back, in restore mode.")
    if done.aside:
        here.say(f"السجلّ السابق محفوظ جانباً: {done.aside}", f"The record that was there is kept aside: {done.aside}")
    here.say(
        f"طلبات غير محسومة الآن: {done.open_requests}. لن يُعاد شيء ذو أثر قبل أن يحسمه استعلام أو كشف أو قرار. الطلبات "
        "الجديدة تُقبل وتُحفظ دون تنفيذ حتى ‎`jisr restore --finish`.",
        f"Requests in doubt now: {done.open_requests}. Nothing with an effect is done again before an inquiry, a "
        "statement or people decide. New requests are accepted and held until `jisr restore --finish`.",
    )


def _status(here: Front, told: dict[str, Any]) -> None:
    if told["restored_at"] is None:
        here.say("لم تُستعد هذه القاعدة من نسخة.", "This record was never restored from a backup.")
        return
    if told["on"]:
        here.say("[yellow]وضع الاستعادة قائم.[/]", "[yellow]Restore mode is on.[/]")
    else:
        here.say(
            f"انتهى وضع الاستعادة: {told['finished_at']} ({told['finished_by']}).",
            f"Restore mode ended: {told['finished_at']} ({told['finished_by']}).",
        )
    for ar, en, value in (
        ("أُخذت النسخة", "backup taken", told["backup_at"]),
        ("استُعيدت", "restored", told["restored_at"]),
        ("طلبات كانت مفتوحة", "requests that were open", told["open_then"]),
        ("غير محسومة الآن", "in doubt now", told["in_doubt"]),
        ("بانتظار موظف", "parked for people", told["parked"]),
        ("جديدة محفوظة دون تنفيذ", "new ones held", told["held"]),
    ):
        here.out.print(f"  {here.text(ar, en)}: {value}", markup=False)


def _finish(here: Front) -> None:
    told = admin_client.call(here.settings(), "restore.finish", by=getpass.getuser())
    held, resumed, left = told["held"], told["resumed"], told["in_doubt"]
    here.say(
        f"[green]✓[/] انتهى وضع الاستعادة. تسير الآن: {held} من الجديدة، و{resumed} مما يُعاد بمفتاحه نفسه. "
        f"وما زال غير محسوم: {left}.",
        f"[green]✓[/] Restore mode is over. On their way now: {held} new one(s), and {resumed} that may be repeated "
        f"under the same key. Still in doubt: {left}.",
    )


@contextmanager
def _shown(here: Front) -> Iterator["Told"]:
    """A bar on a terminal, for whoever waits; it is gone when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=here.err, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(here.text(*_WORDS[what]), total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield told
