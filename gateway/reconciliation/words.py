"""What reconciliation tells people, in Arabic and English: why a file is refused, and what was decided."""

from collections.abc import Mapping
from typing import Any

#: Code of a refusal -> the sentence in Arabic and English, with the facts in braces.
REFUSALS: Mapping[str, tuple[str, str]] = {
    "file_empty": ("الملف فارغ؛ اطلبه من جديد.", "The file is empty; ask for it again."),
    "file_too_large": (
        "حجم الملف {bytes} بايت يتجاوز الحد {limit}؛ اطلبه مقسماً.",
        "The file has {bytes} bytes, more than the {limit} that are read; ask for it in parts.",
    ),
    "encoding_wrong": (
        "ترميز الملف ليس {encoding}؛ اطلب إرساله بالترميز المتفق عليه.",
        "The file is not encoded in {encoding}; ask for it in the agreed encoding.",
    ),
    "not_csv": (
        "لا يمكن قراءة السطر كسطر CSV (علامة اقتباس غير مغلقة)؛ اطلب الملف من جديد.",
        "The line is no CSV (a quote is not closed); ask for the file again.",
    ),
    "line_too_long": (
        "السطر أطول من {limit} بايت؛ ليس هذا ملف أسطر، فاطلبه من جديد.",
        "The line is longer than {limit} bytes: this is no file of rows; ask for it again.",
    ),
    "columns_differ": (
        "عناوين الأعمدة مختلفة (ناقص: {missing}؛ غير معروف: {unknown})؛ إن غيّرتها الجهة فاضبط reconciliation.columns.",
        "The headings differ (missing: {missing}; unknown: {unknown}); if renamed, set reconciliation.columns.",
    ),
    "row_cut": (
        "في السطر {cells} خانة والمتوقع {expected}؛ الملف مبتور أو معطوب.",
        "The line has {cells} cells where {expected} are expected; the file was cut or damaged.",
    ),
    "totals_missing": (
        "ينتهي الملف بلا سطر المجاميع {mark}؛ لقد وصل مبتوراً، فاطلبه من جديد.",
        "The file ends without its totals row {mark}: it was cut off; ask for it again.",
    ),
    "totals_cut": (
        "سطر المجاميع ليس بالشكل المتفق عليه ({cells} خانة والمتوقع {expected})؛ اطلب الملف من جديد.",
        "The totals row is not of the agreed form ({cells} cells, expected {expected}); ask for the file again.",
    ),
    "rows_after_totals": (
        "توجد أسطر بعد سطر المجاميع؛ الملف مضاعف أو مخلوط بغيره.",
        "There are rows after the totals row: the file is doubled or mixed with another.",
    ),
    "file_of_another": (
        "الملف لحساب تاجر آخر غير المسجّل في الإعدادات؛ لا تستعمله وأعده إلى الجهة.",
        "The file is of another merchant's account than the one that is set up; do not use it, give it back.",
    ),
    "count_differs": (
        "سطر المجاميع يذكر {said} سطراً وفي الملف {found}؛ اطلب الملف من جديد.",
        "The totals row says {said} rows and the file has {found}; ask for the file again.",
    ),
    "amount_differs": (
        "مجموع المبالغ المذكور {said} ومجموع الأسطر {found} (بالوحدات الصغرى)؛ اطلب الملف من جديد.",
        "The totals row says {said} and the rows add up to {found} (minor units); ask for the file again.",
    ),
    "fee_differs": (
        "مجموع العمولات المذكور {said} ومجموع الأسطر {found} (بالوحدات الصغرى)؛ اطلب الملف من جديد.",
        "The totals row says commissions of {said} and the rows add up to {found} (minor units); ask for it again.",
    ),
    "value_wrong": (
        "قيمة العمود {column} غير مقروءة؛ صحّحها الجهة وتعيد إرسال الملف.",
        "The value of {column} cannot be read; the institution must correct it and send the file again.",
    ),
    "day_differs": (
        "الملف يقول إنه ليوم {day} وما فيه أو اسمه ليوم {rows}؛ تحقق من اليوم مع الجهة.",
        "The file says it is of {day}, its rows or its name say {rows}; ask the institution which is right.",
    ),
    "day_not_over": (
        "يوم {day} لم ينته بعد، فلا يمكن أن يكون كشفه كاملاً؛ يُقرأ الملف بعد انتهائه.",
        "The day {day} is not over, so its file cannot be whole; it is read once the day has ended.",
    ),
    "day_taken": (
        "أُدخل كشف {day} من {name} (sha256 {sha256}) وهذا يخالفه؛ إن أكدت الجهة هذا فأدخله بـ jisr reconcile correct.",
        "{day} is in from {name} (sha256 {sha256}), which this contradicts; once confirmed: jisr reconcile correct.",
    ),
    "day_holds_more": (
        "في {name} (sha256 {sha256}) ليوم {day} هذه الأسطر وأكثر: نسخة أقدم، أو تصحيح يُدخل بـ jisr reconcile correct.",
        "{name} (sha256 {sha256}) of {day} has this and more: an older copy, or a correction (jisr reconcile correct).",
    ),
}

DECISIONS: Mapping[str, tuple[str, str]] = {
    "done": ("تم", "done"),
    "not_done": ("لم يتم", "not done"),
}


def refusal(code: str, facts: Mapping[str, Any], language: str) -> str:
    """The sentence of a refusal."""
    ar, en = REFUSALS[code]
    sentence = (ar if language == "ar" else en).format(**facts)
    if "also" in facts:
        sentence += f" وكذلك الأسطر: {facts['also']}." if language == "ar" else f" So are lines {facts['also']}."
    return sentence
