"""What each decision would mean, and what it could do twice, in Arabic and English."""

from collections.abc import Mapping

MEANS: Mapping[str, tuple[str, str]] = {
    "inquire": (
        "تُسأل الجهة الآن عما صار بالعمل؛ لا يُرسل شيء من جديد.",
        "The institution is asked now what became of the act; nothing is sent again.",
    ),
    "done_paid": (
        "تُعد الدفعة منجزة ويكمل الطلب. إن لم يذكرها كشف المزوّد ظهرت فرقاً في التسوية.",
        "The payment counts as made and the request goes on. If the provider's file lacks it, that is a break.",
    ),
    "done_asked": (
        "يُعد العمل منجزاً لدى الجهة: لا يُرسل من جديد أبداً، وتُسأل الجهة عن نتيجته حتى تصل.",
        "The institution is held to have done it: it is never sent again, and asked for its result until that comes.",
    ),
    "done": (
        "يُعد العمل منجزاً ويكمل الطلب إلى خطوته التالية، من دون وثيقة من هذه الخطوة.",
        "The act counts as done and the request goes on to its next step, without a document from this one.",
    ),
    "done_delivered": (
        "تُعد النتيجة مسلّمة ويكتمل الطلب.",
        "The result counts as handed over, and the request is completed.",
    ),
    "not_done_paid": (
        "تُعد الدفعة كأنها لم تتم، ويُطلب من المواطن الدفع من جديد.",
        "The payment counts as not made, and the citizen is asked to pay anew.",
    ),
    "not_done": (
        "يُعد العمل غير منجز وينتهي الطلب بالرفض؛ وما دُفع عنه مستحق الرد.",
        "The act counts as not done and the request ends as refused; what was paid for it is due back.",
    ),
    "end": (
        "ينتهي الطلب بالرفض؛ وما دُفع عنه مستحق الرد.",
        "The request ends as refused; what was paid for it is due back.",
    ),
    "resend": (
        "يُرسل {act} مرة أخرى بالمعرّف نفسه.",
        "{act} is sent once more, under the same id.",
    ),
    "resend_safe": (
        "يسير الطلب من جديد من حيث توقف: {why_ar}.",
        "The request goes on from where it stopped: {why_en}.",
    ),
}

TWICE: Mapping[str, tuple[str, str]] = {
    "not_done_paid": (
        "إن كان المزوّد قد خصم المبلغ فسيُخصم من المواطن مرتين.",
        "If the provider did debit it, the citizen is debited twice.",
    ),
    "not_done": (
        "إن كانت الجهة قد نفّذته وقدّم المواطن طلباً جديداً فستنفّذه مرتين.",
        "If the institution did do it and the citizen asks anew, it is done twice.",
    ),
    "resend": (
        "إن كان إرسال {at} قد وصل فستنفّذ الجهة {act} مرتين.",
        "If what was sent at {at} arrived, the institution does {act} twice.",
    ),
}
