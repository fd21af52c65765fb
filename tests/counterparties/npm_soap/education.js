// The Ministry of Education, played by the `soap` package over its committed contract: `node education.js WSDL`, with the
// package in NODE_PATH. Prints `ready PORT`; `GET /_effects/education` tells what it issued and what it had read.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const soap = require("soap");
const { passwordDigest } = require("soap/lib/utils");

const USER = "jisr-counterparty";
const PASSWORD = "counterparty-only";
const NO_CERTIFICATE = "99000000020";
const WITHHELD = "99000000091";
const BUSY = "99000000092";
const LINE_BREAKS = "99000000099";
const LAST_YEAR_ON_PAPER = 1989;

const effects = [];
const submitted = new Map(); // request id -> how many inquiries it still waits

function pdf(title) {
  const text = `BT /F1 12 Tf 72 720 Td (${title.replace(/[^0-9a-zA-Z -]/g, "")}) Tj ET`;
  return Buffer.from(
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
      "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n" +
      `4 0 obj<</Length ${text.length}>>stream\n${text}\nendstream endobj\n` +
      "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
  );
}

function refuseByFault(number) {
  const codes = { [WITHHELD]: "RECORD_WITHHELD", [BUSY]: "BUSY" };
  if (codes[number]) {
    throw {
      Fault: {
        faultcode: "soap:Server",
        faultstring: "refused",
        detail: { ServiceFault: { Code: codes[number], Message: "لا يمكن الاطلاع على القيد" } },
      },
    };
  }
}

function issued(RequestId) {
  const content = pdf(`Certified copy ${RequestId}`);
  return {
    RequestId,
    Result: { Status: "00", Text: "صدرت الصورة المصدقة" },
    IssuedOn: new Date().toISOString().slice(0, 10), // a Date would become an empty element
    Document: {
      FileName: "صورة-مصدقة.pdf",
      ContentType: "application/pdf",
      Sha256: crypto.createHash("sha256").update(content).digest("hex"),
      Content: content.toString("base64"),
    },
  };
}

const certificates = {
  CheckRecord({ Applicant, Record }) {
    refuseByFault(Applicant.NationalNumber);
    if (Applicant.NationalNumber === NO_CERTIFICATE) {
      return { Result: { Status: "20", Text: "الشهادة غير موجودة" } };
    }
    const onPaper = (Record.SecondaryCertificate || {}).Year <= LAST_YEAR_ON_PAPER;
    return { Result: { Status: onPaper ? "11" : "10", Text: "القيد موجود" }, LookedUpByHand: onPaper };
  },

  SubmitRequest({ RequestId, Applicant, Record, Language }, _callback, _headers, request) {
    const { Year, Branch, Governorate } = Record.SecondaryCertificate || {};
    effects.push({
      operation_id: RequestId,
      what: "copy",
      seen: {
        name: [Applicant.Name.Given, Applicant.Name.Father, Applicant.Name.Family].join(" "),
        born: Applicant.BirthDate instanceof Date ? Applicant.BirthDate.toISOString().slice(0, 10) : null,
        language: Language || null,
        year: Year || null,
        branch: Branch || null,
        governorate: Governorate || null, // text: its zero counts
      },
    });
    if (!(Year <= LAST_YEAR_ON_PAPER)) {
      submitted.set(RequestId, 0);
      if (Applicant.NationalNumber === LINE_BREAKS) {
        request.socket.destroy(); // the copy is issued, and nobody hears of it
      }
      return issued(RequestId);
    }
    submitted.set(RequestId, 1);
    return {
      RequestId,
      Result: { Status: "01", Text: "تم استلام الطلب" },
      ReceiptNumber: `70${effects.length}`,
      NextInquirySeconds: 1,
    };
  },

  InquireRequest({ RequestId }) {
    if (!submitted.has(RequestId)) {
      return { RequestId, Result: { Status: "30", Text: "رقم الطلب غير موجود" } };
    }
    if (submitted.get(RequestId) === 0) {
      return issued(RequestId);
    }
    submitted.set(RequestId, submitted.get(RequestId) - 1);
    return { RequestId, Result: { Status: "02", Text: "القيد قيد البحث اليدوي" }, NextInquirySeconds: 1 };
  },
};

const nonces = new Set();

/** Whether the UsernameToken's digest is right by the package's own arithmetic, and its nonce new. */
function knows({ UsernameToken: token } = {}) {
  const nonce = token && token.Nonce.$value;
  if (!token || nonces.has(nonce)) {
    return false;
  }
  nonces.add(nonce);
  const fresh = Math.abs(Date.now() - Date.parse(token.Created)) < 5 * 60 * 1000;
  return fresh && token.Username === USER && token.Password.$value === passwordDigest(nonce, token.Created, PASSWORD);
}

const server = http.createServer((_, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(effects));
});
server.listen(0, "127.0.0.1", () => {
  const listening = soap.listen(server, {
    path: "/certificates/v1",
    services: { CertificatesService: { CertificatesPort: certificates } },
    xml: fs.readFileSync(process.argv[2], "utf8"),
    callback: () => console.log(`ready ${server.address().port}`),
  });
  listening.authenticate = (security) => knows(security);
});
process.on("SIGTERM", () => process.exit(0));
