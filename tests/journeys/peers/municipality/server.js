// The municipality of the tutorial, played by the `soap` package over its own WSDL: `node server.js PORT`.
// A submission waits in the archive; the first inquiry after it brings the extract. GET /issued tells how many it issued.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const soap = require("soap");

const requests = new Map(); // request number -> how often it was submitted
const STRANGER = "99000000041"; // owns no permit

function pdf(number) {
  const text = `BT /F1 12 Tf 72 720 Td (Building permit extract ${number.replace(/[^0-9a-zA-Z-]/g, "")}) Tj ET`;
  const body =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n" +
    `4 0 obj<</Length ${text.length}>>stream\n${text}\nendstream endobj\n` +
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
  return Buffer.from(body).toString("base64");
}

const extracts = {
  CheckPermit: ({ NationalNumber }) =>
    NationalNumber === STRANGER
      ? { ResultCode: "NOT_OWNER", ResultText: "الرخصة ليست لصاحب الطلب" }
      : { ResultCode: "OK", ResultText: "الرخصة موجودة" },

  SubmitExtract: ({ RequestNumber }) => {
    requests.set(RequestNumber, (requests.get(RequestNumber) || 0) + 1);
    return { RequestNumber, ResultCode: "WAIT", ResultText: "الطلب لدى الأرشيف", ReceiptNumber: `M-${requests.size}` };
  },

  InquireExtract: ({ RequestNumber }) =>
    requests.has(RequestNumber)
      ? {
          RequestNumber,
          ResultCode: "OK",
          ResultText: "صدر البيان",
          ReceiptNumber: "M-1",
          Extract: { FileName: "permit-extract.pdf", Content: pdf(RequestNumber) },
        }
      : { RequestNumber, ResultCode: "UNKNOWN", ResultText: "رقم الطلب غير معروف" },
};

const wsdl = fs.readFileSync(path.join(__dirname, "municipality.wsdl"), "utf8");
const server = http.createServer((request, response) => {
  const issued = [...requests.values()].reduce((sum, count) => sum + count, 0);
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ issued }));
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  soap.listen(server, "/extracts", { PermitExtracts: { PermitExtractsPort: extracts } }, wsdl, () => {
    console.log(`ready on http://127.0.0.1:${server.address().port}`);
  });
});
process.on("SIGTERM", () => process.exit(0));
