"""This file holds the words and examples of the API's reference; the sandboxes accept the bodies.

The people are invented.
"""

from typing import Any

_NAME = {"given": "سلمى", "father": "خالد", "mother": "هدى", "family": "الحسن"}

CERTIFICATE: dict[str, Any] = {
    "service": "education.secondary-certificate-copy",
    "applicant": {"national_number": "01010000001", "name": _NAME, "assurance": "substantial"},
    "input": {
        "document_kind": "certificate",
        "year": 2015,
        "branch": "scientific",
        "governorate": "damascus",
        "exam_number": "4321",
    },
    "payment": {
        "method": "syriatel_cash",
        "payer": {"mobile": "0930000001"},
        "amount": {"value": "25.00", "currency": "SYP", "denomination": "SYP-new"},
    },
    "reference": "web-2026-0001",
}

VEHICLE: dict[str, Any] = {
    "service": "transport.vehicle-statement",
    "applicant": {"national_number": "01010000001", "name": _NAME, "assurance": "low"},
    "input": {"plate_number": "123456", "governorate": "damascus", "category": "private"},
}

REQUESTS = {
    "certificate": {"summary": "A paid certificate", "value": CERTIFICATE},
    "vehicle": {"summary": "A free vehicle statement", "value": VEHICLE},
}

ACTIONS = {
    "otp": {"summary": "The code of the text message", "value": {"otp": "123456"}},
    "resend": {"summary": "Ask for another code", "value": {"resend": True}},
    "method": {
        "summary": "Another payer or method after a failure",
        "value": {"method": "syriatel_cash", "payer": {"mobile": "0930000001"}},
    },
}

#: By operation id.
DESCRIPTIONS = {
    "submitRequest": "The body is checked whole against the service's schema and is on disk before the answer. 201 "
    "when it finished within `Prefer: wait=N`, else 202. With `Prefer: check` or `dry_run=true` it is only checked.",
    "listRequests": "A channel sees its own requests only. Follow `next_cursor` until it is null.",
    "readRequest": "The request as it stands: state, step, reason, payment, what the citizen must do next, documents. "
    "Another channel's request is answered as if it did not exist.",
    "readEvents": "Everything that happened to the request so far. Nothing personal is in it.",
    "streamEvents": "Server-sent events: the timeline so far, then each event as it happens, until the request is "
    "final. A comment keeps a quiet line alive; after a break, `Last-Event-ID` resumes.",
    "readDocument": "The bytes as the institution issued them. Only the channel that made the request may fetch them.",
    "readResult": "The fields that the service's `result` describes, once the request is completed. Only the "
    "channel that made the request may read them.",
    "answerAction": "Send what `next_action` asks for, in the form of its `schema`. A one-time code is passed on and "
    "never stored. An answer to an earlier asking, or one that comes too late, is refused (409).",
    "cancelRequest": "Possible until something was sent that cannot be taken back; then 409.",
    "handOver": "The citizen has come to the centre and has the result. For the channel that made the request, and for "
    "operators.",
    "listCentres": "Where results are handed over: `delivery.centre` is one of these ids.",
    "listServices": "Names in both languages, JSON Schema of the input, fee, turnaround and required documents.",
    "readService": "The same for one service.",
    "readAvailability": "One sentence for the clerk, before the citizen waits or pays.",
    "uploadAttachment": "The body is the file itself. What kind it is, its bytes say. The answer's `digest` stands "
    "for it in a request's `attachments`, in its input or in an answer; an upload that no request refers to expires.",
    "readAttachment": "Only your own uploads are known here.",
    "addWebhook": "Give an address at which your system is told what becomes of your requests: CloudEvents 1.0 in "
    "JSON, signed after Standard Webhooks with the `secret` of this answer. The address must be https and lead into "
    "the open Internet or into a network that the operator allows; it is looked at again at every delivery. It takes "
    "effect within ten seconds.",
    "listWebhooks": "A channel sees its own, an operator all.",
    "readWebhook": "Without its secret, which is told when it is made and never again.",
    "removeWebhook": "What waits for it is dropped; its log stays for its time.",
    "rotateWebhook": "Until `old_secret_until` every event carries two signatures, so that the receiver may change its "
    "secret at any moment in between. `overlap_hours` 0 ends the old one at once.",
    "enableWebhook": "What waits is sent at once.",
    "disableWebhook": "Nothing is sent, and what happens meanwhile is not kept for it.",
    "pingWebhook": "An event of the type `jisr.webhook.ping`, to try the receiver.",
    "listDeliveries": "What was told and what waits, newest first; kept for thirty days unless set otherwise.",
    "readDelivery": "One event with every try to deliver it.",
    "redeliverEvent": "Under the same `webhook-id`, at once, and for another three days if need be.",
    "redeliverFailed": "Puts the oldest thousand events in line again that were given up.",
    "receiveCallback": "An institution says by itself what became of an act. The bytes are committed before the "
    "answer, and believed only when they are signed as its package declares; what is not signed is at most a reason "
    "to ask the institution. The same message again is the same receipt.",
    "verifyDocument": "For whoever holds a document: when and by whom it was issued, and for which service. No key is "
    "needed, and nothing about a person is told. A file that was changed by one byte is unknown.",
    "listAllRequests": "For operators: what is in doubt or parked, and for how long (`state=in_doubt&state=parked`).",
    "readReconciliation": "For operators: what institutions list against what was done, breaks, and what was settled.",
    "listDeadLetters": "For operators: parked requests, each with what a replay would mean: `safe` is sent again, "
    "`inquire_first` is asked about, `unsafe` needs two operators, `done` is over or goes on by itself.",
    "readDeadLetter": "For operators: one request, parked or not, with its attempts.",
    "planReplay": "For operators: how many of each sort a selection holds, which mapping versions would change, and "
    "the first hundred. Nothing is done.",
    "replayDeadLetters": "For operators with the role `maker`: what is safe is sent again and what may have arrived is "
    "asked about, `per_second` at a time (5 unless said). What is unsafe is never touched, nor is what would be sent "
    "with another mapping than it started with, unless `new_mapping` says so. Who let it go and why stands in each "
    "timeline.",
    "listDoubts": "For operators: what is in doubt or parked, oldest first, with reason and age, what may be done "
    "about each and by how many people, and the proposal that is open.",
    "readDoubt": "What was said about it so far, by whom, and every decision. A request that is over has no actions.",
    "inquireNow": "Only a question is sent, so one person is enough. What the answer says follows by itself.",
    "proposeDecision": "`done`, `not_done` or `resend`, with its reason. Any of them that could do something twice, or "
    "that takes people's word for the truth, waits until another operator approves it; the role `maker` is needed. "
    "`replaces` names an open proposal whose place this one takes.",
    "listDecisions": "For operators: `state=proposed` is what waits for a second person.",
    "readDecision": "What was proposed, with its consequences, and what became of it.",
    "approveDecision": "For another operator than the one who proposed, with the role `checker`. It is done only if it "
    "is what was read (`digest`), if whoever proposed it still may, and if nothing has changed meanwhile; otherwise "
    "nothing happens.",
    "refuseDecision": "By another operator with the role `checker`, or by whoever proposed it, which withdraws it.",
    "listBreaks": "For operators: what differs between what was done here and what institutions list, until "
    "people or a later file have settled it.",
    "readBreak": "What is known of it and every note. Its amount is the institution's, or ours where they list none.",
    "assignBreak": "Who takes it up, and what to tell them; giving it to somebody else is the same call.",
    "annotateBreak": "Notes are kept sealed, since they may name a person; a closed break can still have one.",
    "closeBreak": "It leaves the reports from today's on; earlier reports stay as they are, and running a day again "
    "does not open it. Nothing is decided about the request by it. A break of another type is opened anew.",
    "readRestore": "For operators, after a backup was put back: while `on` is true, new requests are held and nothing "
    "with an effect is done again; `in_doubt` and `parked` are what people have still to look at.",
    "listProblems": "What a channel may cache to show every `code` in its own screens.",
    "readProblem": "What a problem's `type` points to.",
    "live": "200 as long as the process answers.",
    "ready": "200 when a write was just committed and the disk has room; 503 otherwise or while stopping.",
    "stranded": "Requests that stand in a state for longer than it may last. Always 200: the process is well.",
    "metrics": "Requests by state and longest stay in each, payments, attempts of the last hour by outcome, lanes.",
}
