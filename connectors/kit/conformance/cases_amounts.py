"""What a payment operation says that it can express, and what its mapping does express."""

from dataclasses import replace

from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.case import case, require
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Operation
from connectors.kit.errors import MappingFailed
from mappings.money import Money

#: Of the new pound: whole tens, whole pounds, and piastres.
_AMOUNTS = (1_000, 2_500, 2_550)


def _takes_an_amount(subject: Subject, operation: Operation) -> bool:
    return operation.role == "initiate" and bool(subject.document(operation.name).get("fee"))


@case(
    "mapping",
    "amounts",
    "ما تصرح به العملية في pays_in هو ما تعبّر عنه وثيقة التحويل.",
    "What the operation declares in pays_in is what its mapping can say.",
    applies=_takes_an_amount,
)
async def the_mapping_says_the_amounts_that_are_declared(bench: Bench) -> None:
    """Else a citizen would be offered a way to pay that cannot be paid by."""
    declared = bench.declared.pays_in
    async with bench.staged() as stage:
        call = await stage.ready()
        for minor in _AMOUNTS:
            fee = {"amount_minor": minor, "currency": "SYP", "denomination": "SYP-new"}
            fits = declared is None or declared.fits(Money(minor, "SYP", "SYP-new"))
            try:
                stage.connector.prepare(bench.name, replace(call, document={**call.document, "fee": fee}))
                said = True
            except MappingFailed:
                said = False
            require(
                said == fits,
                f"المبلغ {minor} من أجزاء الليرة الجديدة: pays_in {'تقبله' if fits else 'لا تقبله'} ووثيقة التحويل "
                f"{'تقبله' if said else 'لا تقبله'}؛ صحح pays_in في manifest.toml.",
                f"{minor} piastres of the new pound: pays_in {'takes' if fits else 'refuses'} it and the mapping "
                f"{'says' if said else 'cannot say'} it; correct pays_in in manifest.toml.",
                bench.subject.at("manifest.toml", f"operations.{bench.name}"),
            )
