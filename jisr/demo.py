"""The demonstration (`make demo`): institutions, gateway, one paid and one free request from acceptance to document."""

import signal
import time
from pathlib import Path
from types import FrameType

from jisr import demo_channel
from jisr.demo_record import Record
from jisr.demo_stage import Stage
from jisr.demo_walk import Walker
from jisr.processes import Processes
from jisr.terminal import Front

PAID = "education.secondary-certificate-copy"
FREE = "transport.vehicle-statement"

#: An invented person: no governorate has the number 88.
_APPLICANT = {
    "national_number": "88000000017",
    "name": {"given": "سلمى", "father": "كريم", "mother": "نادية", "family": "الخطيب"},
    "assurance": "substantial",
}


def run(here: Front, folder: Path, *, once: bool) -> int:
    """Run the demonstration; the exit status: 0 when both documents came. Without `once` it stays until Ctrl-C, and
    then ends with 0."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Processes() as processes, demo_channel.Listener() as listener:
            stage = _raise_stage(here, folder, processes)
            listening = listener.subscribe(stage.client())
            complete = _perform(here, stage)
            if listening:
                _show_told(here, stage, listener)
            _addresses(here, stage, complete=complete)
            if once:
                return 0 if complete else 1
            _stay(here, stage)
    except KeyboardInterrupt:
        here.say("\nأُوقف كل شيء؛ السجلات باقية.", "\nEverything is ended; the records stay.")
    return 0


def _raise_stage(here: Front, folder: Path, processes: Processes) -> Stage:
    here.say("[bold]المؤسسات التجريبية والبوابة[/]", "[bold]Sandboxes and gateway[/]")
    stage = Stage(here, folder, processes, extra=demo_channel.SETTINGS)
    stage.start_sandboxes()
    stage.start_gateway()
    return stage


def _show_told(here: Front, stage: Stage, listener: demo_channel.Listener) -> None:
    here.say(
        "\n[bold]ما أُبلغت به القناة بإشعارات موقّعة (webhooks)[/]",
        "\n[bold]What the channel was told, signed (webhooks)[/]",
    )
    wishes = Record(stage.folder / "requests.json").wishes
    for wish in wishes[-2:]:
        told = listener.told(wish.id, last="completed")
        here.out.print(f"  {wish.service:40} {' → '.join(told) or '…'}", markup=False)


def _perform(here: Front, stage: Stage) -> bool:
    """Finish what an earlier run left, then bring both services to a document. Whether both came."""
    record = Record(stage.folder / "requests.json")
    walker = Walker(here, stage, stage.client(), record)
    finished = set()
    left = record.open_wishes()
    if left:
        here.say(
            f"\n[yellow]طلبات بدأتها جولة سابقة وتُستأنف الآن: {len(left)}[/]",
            f"\n[yellow]Resumed: {len(left)} request(s) that an earlier run began[/]",
        )
    for wish in left:
        if walker.walk(wish):
            finished.add(wish.service)
    for service in (PAID, FREE):
        if service not in finished and _bring(here, walker, record, service):
            finished.add(service)
    return finished >= {PAID, FREE}


def _bring(here: Front, walker: Walker, record: Record, service: str) -> bool:
    """A new request of the service to its document. One that is left for people to decide is followed by another."""
    if walker.walk(record.add(service, body_of(service, len(record.wishes)))):
        return True
    here.say(
        "  يبقى هذا الطلب كما هو حتى يبتّ فيه الموظفون؛ ويُقدَّم طلب آخر.",
        "  That request stays as it is until people decide; another one is made.",
    )
    return walker.walk(record.add(service, body_of(service, len(record.wishes))))


def body_of(service: str, number: int) -> dict[str, object]:
    """A request's body; `number` makes the payer's invented phone number differ from run to run."""
    if service == PAID:
        return {
            "service": PAID,
            "applicant": _APPLICANT,
            "input": {
                "document_kind": "certificate",
                "year": 2019,
                "branch": "scientific",
                "governorate": "damascus",
                "exam_number": "20417",
            },
            "payment": {"method": "syriatel_cash", "payer": {"mobile": f"+96399300{number % 10_000:04}"}},
            "reference": f"demo-{number}",
        }
    return {
        "service": FREE,
        "applicant": _APPLICANT,
        "input": {"plate_number": "204517", "governorate": "damascus", "category": "private"},
        "reference": f"demo-{number}",
    }


def _addresses(here: Front, stage: Stage, *, complete: bool) -> None:
    if complete:
        here.say("\n[green]وصلت الوثيقتان.[/]", "\n[green]Both documents came.[/]")
    else:
        here.say("\n[red]لم تصل الوثيقتان كلتاهما.[/]", "\n[red]Not both documents came.[/]")
    here.say("[bold]للتجربة[/]", "[bold]To try[/]")
    rows = [("API", f"{stage.url}/docs"), ("health", f"{stage.url}/health/ready"), ("metrics", f"{stage.url}/metrics")]
    rows += [(sandbox.name, sandbox.control) for sandbox in stage.sandboxes]
    rows += [("documents", str(stage.folder / "documents")), ("logs", str(stage.folder / "logs"))]
    for name, address in rows:
        here.out.print(f"  {name:16} {address}", markup=False)
    command = f'curl -s -H "Authorization: Bearer $(cat {stage.key_file})" {stage.url}/v1/requests'
    here.out.print(f"  {command}", markup=False)


def _stay(here: Front, stage: Stage) -> None:
    """Until Ctrl-C; whoever kills a part to see what happens gets it back."""
    here.say("\nيبقى كل شيء عاملاً؛ Ctrl-C يوقفه.", "\nEverything stays up; Ctrl-C ends it.")
    while True:
        stage.mend()
        time.sleep(0.5)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
