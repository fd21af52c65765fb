"""The page of a sandbox for people: ledger, switches, persons, messages and callbacks, in Arabic and English."""

import json
from collections.abc import Iterable
from html import escape

from connectors.kit.sandbox.faults import ALL_MODES

#: What each switch does, for people: Arabic, English.
_WORDS = {
    "latency": ("تأخير الجواب (ms)", "answer later (ms)"),
    "silence": ("صمت بلا جواب", "no answer, ever"),
    "cut_before": ("قطع الاتصال قبل الفعل", "reset before the act"),
    "cut_after": ("قطع الاتصال بعد الفعل", "reset after the act"),
    "cut_middle": ("قطع في منتصف الجواب", "cut in the middle of the answer"),
    "truncate": ("جواب مبتور (bytes)", "only so many bytes"),
    "drip": ("جواب يقطر (ms)", "byte by byte (ms)"),
    "status": ("رمز HTTP مجرد", "a bare HTTP status"),
    "html": ("صفحة HTML", "an HTML page"),
    "empty": ("جواب فارغ", "an empty answer"),
    "wrong_content_type": ("نوع محتوى خاطئ", "wrong content type"),
    "wrong_charset": ("ترميز خاطئ", "wrong charset"),
    "bom": ("علامة BOM في البداية", "a byte order mark"),
    "redirect": ("إعادة توجيه (URL)", "redirect (URL)"),
    "fault": ("عطل فني لدى الجهة", "the institution's own fault"),
    "wrong_element": ("عنصر آخر", "another element"),
    "missing_element": ("عنصر ناقص", "an element is missing"),
    "extra_element": ("عنصر زائد", "one element more"),
    "huge": ("جواب ضخم (bytes)", "huge answer (bytes)"),
    "gzip_bomb": ("جواب ضخم مضغوط (bytes)", "huge when unpacked (bytes)"),
    "mtom": ("مرفقات MTOM", "attachments (MTOM)"),
    "case": ("حالة بعينها (اسمها)", "a certain case (its name)"),
    "token_expired": ("إبطال رموز الدخول", "all tokens are void"),
    "callback_early": ("إشعار قبل الجواب", "callback before the answer"),
    "callback_late": ("إشعار متأخر (ms)", "callback later (ms)"),
    "callback_twice": ("إشعار مكرر", "callback twice"),
    "callback_never": ("بلا إشعار", "no callback"),
    "callback_out_of_order": ("إشعارات بغير ترتيبها", "callbacks out of order"),
    "callback_unsigned": ("إشعار بلا توقيع", "callback without signature"),
    "callback_badly_signed": ("إشعار بتوقيع خاطئ", "callback badly signed"),
    "hours": ("الالتزام بأوقات الدوام", "keep the opening hours"),
    "client_certificate": ("رفض شهادة المتصل", "refuse the caller's certificate"),
}

_STYLE = """
:root{--ink:#1d2b33;--soft:#5d6f79;--line:#d8e1e3;--paper:#fff;--back:#f3f6f6;--green:#0b6b58;--red:#a4281b}
*{box-sizing:border-box}
body{font:15px/1.6 "Noto Sans Arabic","Noto Naskh Arabic",system-ui,sans-serif;margin:0;color:var(--ink);
  background:var(--back)}
header{background:var(--green);color:#fff;padding:1rem 0}
main,header>div{max-width:76rem;margin:auto;padding:0 1.25rem}
h1{font-size:1.25rem;margin:0;display:flex;gap:.75rem;align-items:baseline;flex-wrap:wrap}
header p{margin:.25rem 0 0;opacity:.9;font-size:.9rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;margin:1.1rem 0;padding:.9rem 1.1rem}
h2{font-size:1rem;margin:0 0 .6rem;display:flex;justify-content:space-between;align-items:center;gap:1rem}
h2 small,th small,label small{color:var(--soft);font-weight:400;margin-inline-start:.45rem;font-size:.82em}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.35rem .6rem;text-align:start;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}
tbody tr:last-child td{border-bottom:0}
td.num{font-variant-numeric:tabular-nums}
tr.double td{background:#fdeae7;color:var(--red)}
tr.none td{color:var(--soft)}
code,.mono{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.88em}
form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;
  margin-top:.9rem;padding-top:.9rem;border-top:1px solid var(--line)}
label{display:flex;flex-direction:column;gap:.2rem;font-size:.88rem;flex:1 1 9rem}
label.wide{flex:2 1 17rem}
input,select,button{font:inherit;padding:.35rem .6rem;border:1px solid #b9c6ca;border-radius:.35rem;background:#fff;
  min-height:2.3rem;min-width:0;width:100%}
button{background:var(--green);color:#fff;border-color:var(--green);cursor:pointer;width:auto;white-space:nowrap}
button.quiet{background:#fff;color:var(--green);min-height:0;padding:.15rem .6rem;font-size:.85rem}
button:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid #7cc4b5;outline-offset:1px}
#said{color:var(--red);margin:.5rem 0 0;min-height:1.2em}
"""

_SCRIPT = """
const words=JSON.parse(document.querySelector('#words').textContent);
const show=value=>value===null||value===undefined?'':typeof value==='object'?JSON.stringify(value):String(value);
const cell=(row,value,key)=>{const td=document.createElement('td');const b=document.createElement('bdi');
  b.textContent=show(value);if(/id$|key|mode|operation|outcome|at$|url/.test(key))b.className='mono';
  td.append(b);row.append(td);return td};
const fill=(id,rows,keys)=>{const table=document.querySelector('#'+id);const body=table.tBodies[0];
  body.replaceChildren();table.closest('section').hidden=table.dataset.optional!==undefined&&!rows.length;
  for(const item of rows){const row=body.insertRow();if(item.count>1)row.className='double';
    for(const key of keys){const td=cell(row,item[key],key);
      if(key==='mode'&&words[item.mode])td.append(document.createElement('br'),words[item.mode].join(' · '))}}
  if(!rows.length){const row=body.insertRow();cell(row,'لا شيء · nothing','');row.className='none';
    row.cells[0].colSpan=keys.length}};
const call=(path,options)=>fetch('/_sandbox/'+path,options);
const read=async path=>(await call(path)).json();
async function refresh(){
  const health=await read('health');const calls=Object.entries(health.calls).map(([k,n])=>k+' '+n).join(', ');
  document.querySelector('#calls').textContent=calls||'0';
  document.querySelector('#now').textContent=health.now.slice(0,19).replace('T',' ')+' UTC';
  fill('ledger',(await read('ledger')).effects.slice(-200).reverse(),['operation_id','operation','what','count','at']);
  fill('switches',(await read('switches')).switches,['operation','mode','value','times']);
  fill('messages',(await read('messages')).slice(-50).reverse(),['transaction_id','mobile','otp']);
  fill('callbacks',(await read('callbacks')).sent.slice(-50).reverse(),
    ['name','operation','status','why','signed','at'])}
const said=async answer=>{document.querySelector('#said').textContent=answer.ok?'':(await answer.json()).error;
  await refresh()};
document.querySelector('#add').addEventListener('submit',async event=>{event.preventDefault();
  const form=event.target.elements;const raw=form.value.value.trim();let value=null;
  if(raw){try{value=JSON.parse(raw)}catch{value=raw}}
  const times=form.times.value?Number(form.times.value):null;
  const body=JSON.stringify({operation:form.operation.value,mode:form.mode.value,value,times});
  await said(await call('switches',{method:'POST',body}))});
document.querySelector('#off').addEventListener('click',async()=>said(await call('switches',{method:'DELETE'})));
document.querySelector('#forget').addEventListener('click',async()=>{
  if(confirm('محو السجل وكل ما تتذكره الجهة؟ · Forget the ledger and all that the institution remembers?'))
    await said(await call('ledger',{method:'DELETE'}))});
read('persons').then(rows=>fill('persons',rows,['key','outcome','ar','en']));
refresh();setInterval(refresh,2000);
"""


def _section(name: str, ar: str, en: str, heads: Iterable[tuple[str, str]], *, button: str = "", rest: str = "") -> str:
    """A heading and a table; a section whose table is empty is hidden unless it is always there."""
    always = name in {"ledger", "switches", "persons"}
    cells = "".join(f"<th scope=col>{head}<small lang=en>{english}</small></th>" for head, english in heads)
    return (
        f"<section{'' if always else ' hidden'}><h2><span>{ar}<small lang=en>{en}</small></span>{button}</h2>"
        f'<div class=scroll><table id="{name}"{"" if always else " data-optional"}>'
        f"<thead><tr>{cells}</tr></thead><tbody></tbody></table></div>{rest}</section>"
    )


def _button(name: str, ar: str, en: str) -> str:
    return f'<button type=button class=quiet id="{name}">{ar} · <span lang=en>{en}</span></button>'


def _form(operations: Iterable[str]) -> str:
    names = "".join(f"<option>{escape(name)}</option>" for name in operations)
    modes = "".join(f"<option value={mode}>{_WORDS[mode][0]} · {_WORDS[mode][1]}</option>" for mode in ALL_MODES)
    return (
        "<form id=add>"
        "<label><span>العملية<small lang=en>operation</small></span>"
        f"<select name=operation><option value='*'>كلها · all</option>{names}</select></label>"
        f"<label class=wide><span>العطل<small lang=en>fault</small></span><select name=mode>{modes}</select></label>"
        "<label><span>القيمة<small lang=en>value</small></span><input name=value dir=ltr></label>"
        "<label><span>عدد المرات<small lang=en>times</small></span>"
        "<input name=times type=number min=1 placeholder='∞' dir=ltr></label>"
        "<button>تفعيل · <span lang=en>Switch on</span></button></form><p id=said role=status></p>"
    )


def page(name: str, title_ar: str, title_en: str, operations: Iterable[str]) -> str:
    """The whole page of one institution; it loads nothing from anywhere else."""
    operation, at = ("العملية", "operation"), ("الوقت", "at")
    sections = (
        _section(
            "ledger", "سجل الأفعال", "Ledger of what was really done",
            (("معرّف العملية", "operation id"), operation, ("الأثر", "what"), ("العدد", "count"), at),
            button=_button("forget", "محو", "Forget"),
        ),
        _section(
            "switches", "الأعطال المفعّلة", "Faults that are on",
            (operation, ("النوع", "mode"), ("القيمة", "value"), ("المرات الباقية", "times left")),
            button=_button("off", "إيقاف الكل", "All off"), rest=_form(operations),
        ),
        _section(
            "messages", "الرسائل القصيرة", "Messages (SMS)",
            (("العملية", "transaction"), ("الجوال", "mobile"), ("الرمز", "OTP")),
        ),
        _section(
            "callbacks", "ما أرسلته الجهة من تلقاء نفسها", "Callbacks",
            (("الاسم", "name"), operation, ("الجواب", "status"), ("السبب", "why"), ("موقّع", "signed"), at),
        ),
        _section(
            "persons", "الأشخاص التجريبيون", "Test persons",
            (("الرقم", "number"), ("النتيجة", "outcome"), ("المعنى", "in Arabic"), ("", "in English")),
        ),
    )  # fmt: skip
    words = json.dumps(_WORDS, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f"<!doctype html><html lang=ar dir=rtl><head><meta charset=utf-8><title>{escape(name)} · sandbox</title>"
        f"<meta name=viewport content='width=device-width,initial-scale=1'><style>{_STYLE}</style></head>"
        "<body><header><div>"
        f"<h1><span>{escape(title_ar)}</span><bdi lang=en>{escape(title_en)}</bdi><code>{escape(name)}</code></h1>"
        "<p>بيئة تجريبية: لا شيء هنا حقيقي · <bdi lang=en>Sandbox: nothing here is real</bdi> — "
        "<span>الطلبات</span> <bdi lang=en>(calls)</bdi>: <bdi id=calls class=mono></bdi> — "
        "<bdi id=now class=mono></bdi></p></div></header>"
        f"<main>{''.join(sections)}</main><script type=application/json id=words>{words}</script>"
        f"<script>{_SCRIPT}</script></body></html>"
    )
