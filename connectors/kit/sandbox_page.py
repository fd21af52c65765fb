"""The page of a sandbox for people: ledger, switches, messages and test persons, in Arabic and English."""

from connectors.kit.sandbox_faults import MODES

_OPTIONS = "".join(f"<option>{mode}</option>" for mode in MODES)

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;
  color:#1b2a33;background:#f6f8f8}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
table{border-collapse:collapse;width:100%;background:#fff}
th,td{border:1px solid #d5dddd;padding:.3rem .6rem;text-align:start}th{background:#e5eded}
.double{background:#ffe1dc}form{display:flex;gap:.5rem;flex-wrap:wrap}
input,select,button{font:inherit;padding:.25rem .5rem}
.none{color:#708088}
"""

_SCRIPT = """
const cell=(row,text)=>{const td=document.createElement('td');const b=document.createElement('bdi');
  b.textContent=text===null||text===undefined?'':typeof text==='object'?JSON.stringify(text):String(text);
  td.append(b);row.append(td)};
const fill=(id,rows,keys)=>{const body=document.querySelector('#'+id+' tbody');body.replaceChildren();
  for(const item of rows){const row=document.createElement('tr');if(item.count>1)row.className='double';
    for(const key of keys)cell(row,item[key]);body.append(row)}
  if(!rows.length){const row=document.createElement('tr');cell(row,'لا شيء · nothing');row.className='none';
    row.firstChild.colSpan=keys.length;body.append(row)}};
const read=async path=>(await fetch('/_sandbox/'+path)).json();
async function show(){
  fill('ledger',(await read('ledger')).effects.slice(-200).reverse(),['operation_id','operation','what','count','at']);
  fill('switches',(await read('switches')).switches,['operation','mode','value','times']);
  fill('messages',(await read('messages')).slice(-50).reverse(),['transaction_id','mobile','otp'])}
async function first(){fill('persons',await read('persons'),['key','outcome','ar','en']);await show()}
document.querySelector('#add').addEventListener('submit',async event=>{event.preventDefault();const form=event.target;
  const raw=form.value.value.trim();let value=null;if(raw){try{value=JSON.parse(raw)}catch{value=raw}}
  const times=form.times.value?Number(form.times.value):null;
  const body=JSON.stringify({operation:form.operation.value||'*',mode:form.mode.value,value,times});
  const answer=await fetch('/_sandbox/switches',{method:'POST',body});
  document.querySelector('#said').textContent=answer.ok?'':(await answer.json()).error;await show()});
document.querySelector('#off').addEventListener('click',async()=>{
  await fetch('/_sandbox/switches',{method:'DELETE'});await show()});
first();setInterval(show,2000);
"""


def _table(name: str, title: str, heads: str) -> str:
    cells = "".join(f"<th>{head}</th>" for head in heads.split("|"))
    return f'<h2>{title}</h2><table id="{name}"><thead><tr>{cells}</tr></thead><tbody></tbody></table>'


PAGE = (
    '<!doctype html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>{{name}} · sandbox</title>'
    f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
    "<h1>البيئة التجريبية · <bdi>Sandbox</bdi> · <bdi>{{name}}</bdi></h1>"
    + _table(
        "ledger",
        "سجل الأفعال · Ledger of effects",
        "معرف العملية · operation id|العملية · operation|الأثر · what|العدد · count|الوقت · at",
    )
    + _table(
        "switches",
        "الأعطال المفعلة · Faults that are on",
        "العملية · operation|النوع · mode|القيمة · value|المرات · times",
    )
    + '<form id="add"><input name="operation" placeholder="operation or *"><select name="mode">'
    + _OPTIONS
    + '</select><input name="value" placeholder="value"><input name="times" type="number" min="1" placeholder="times">'
    "<button>تفعيل · Switch on</button>"
    '<button type="button" id="off">إيقاف الكل · All off</button><span id="said"></span></form>'
    + _table("messages", "الرسائل · Messages", "العملية · transaction|الجوال · mobile|الرمز · OTP")
    + _table("persons", "الأشخاص التجريبيون · Test persons", "الرقم · key|النتيجة · outcome|عربي|English")
    + f"<script>{_SCRIPT}</script></body></html>"
)
