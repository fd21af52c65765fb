package counterparties;

import counterparties.register.Applicant;
import counterparties.register.CommercialRegister;
import counterparties.register.Company;
import counterparties.register.Entry;
import counterparties.register.Extract;
import counterparties.register.Finding;
import counterparties.register.Progress;
import counterparties.register.Result;
import counterparties.register.Search;
import counterparties.register.SearchByNumber;
import counterparties.register.SearchByTradeName;
import counterparties.register.Trader;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.jws.WebService;
import javax.xml.namespace.QName;
import javax.xml.soap.SOAPConstants;
import javax.xml.soap.SOAPException;
import javax.xml.soap.SOAPFactory;
import javax.xml.ws.soap.SOAPFaultException;

/** The commercial register of Internal Trade: rpc/literal, parts told apart by xsi:type, dates and numbers as text. The runtime
 * judges no rpc message against a schema; its binding reads only what has the declared types. */
@WebService(
        endpointInterface = "counterparties.register.CommercialRegister",
        targetNamespace = "urn:internaltrade.gov.sy:register:v1",
        serviceName = "CommercialRegisterService",
        portName = "CommercialRegisterPort")
public final class Register implements CommercialRegister {
    private static final String NO_ENTRY = "99000000020";
    private static final String TRADER = "99000000027";
    private static final String PREPARED_LATER = "99000000001";
    private static final String BROKEN = "99000000090";
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("dd/MM/yyyy");

    private record Asked(Applicant applicant, Search search) {}

    private final Ledger ledger;
    private final Map<String, Asked> waiting = new ConcurrentHashMap<>();

    Register(Ledger ledger) {
        this.ledger = ledger;
    }

    @Override
    public Finding findEntry(Applicant applicant, Search search) {
        if (applicant.getNationalNumber().equals(BROKEN)) {
            throw fault("INTERNAL", "خطأ داخلي");
        }
        Finding finding = new Finding();
        if (applicant.getNationalNumber().equals(NO_ENTRY)) {
            finding.setResult(result("10", "لا يوجد قيد بهذه البيانات"));
            finding.setMatches("0");
            return finding;
        }
        finding.setResult(result("0", "تمت العملية"));
        finding.setMatches("1");
        finding.setEntry(entry(applicant, search));
        return finding;
    }

    @Override
    public Progress requestExtract(String requestNumber, Applicant applicant, Search search) {
        ledger.did(
                requestNumber, "extract",
                "name", applicant.getFullName(),
                "born", applicant.getBirthDate(),
                "by", search instanceof SearchByTradeName name ? name.getTradeName() : ((SearchByNumber) search).getRegisterNumber());
        if (applicant.getNationalNumber().equals(PREPARED_LATER)) {
            waiting.put(requestNumber, new Asked(applicant, search));
            Progress progress = new Progress();
            progress.setRequestNumber(requestNumber);
            progress.setResult(result("1", "استلم الطلب"));
            progress.setReceipt("3001");
            progress.setAskAgainInSeconds("1");
            return progress;
        }
        return issued(requestNumber, applicant, search);
    }

    @Override
    public Progress extractStatus(String requestNumber) {
        Asked asked = waiting.get(requestNumber);
        if (asked != null) {
            return issued(requestNumber, asked.applicant(), asked.search());
        }
        Progress progress = new Progress();
        progress.setRequestNumber(requestNumber);
        progress.setResult(result("-1", "لا يوجد طلب بهذا الرقم"));
        return progress;
    }

    private static Progress issued(String requestNumber, Applicant applicant, Search search) {
        byte[] content = Paper.pdf("Extract " + requestNumber, 0);
        Extract extract = new Extract();
        extract.setFileName("مستخرج.pdf");
        extract.setContentType("application/pdf");
        extract.setLength(String.valueOf(content.length));
        extract.setSha256(Paper.sha256(content));
        extract.setContent(content);
        Progress progress = new Progress();
        progress.setRequestNumber(requestNumber);
        progress.setResult(result("0", "تمت العملية"));
        progress.setReceipt("3002");
        progress.setIssuedOn(LocalDate.now().format(DATE));
        progress.setValidUntil(LocalDate.now().plusDays(90).format(DATE));
        progress.setEntry(entry(applicant, search));
        progress.setExtract(extract);
        return progress;
    }

    private static Entry entry(Applicant applicant, Search search) {
        Entry entry = applicant.getNationalNumber().equals(TRADER) ? new Trader() : company();
        boolean byNumber = search instanceof SearchByNumber;
        entry.setRegisterNumber(byNumber ? ((SearchByNumber) search).getRegisterNumber() : "14725");
        entry.setTradeName(byNumber ? "شركة العينة للتجارة" : ((SearchByTradeName) search).getTradeName());
        entry.setGovernorate(search.getGovernorate());
        entry.setRegisteredOn("17/05/2011");
        return entry;
    }

    private static Company company() {
        Company company = new Company();
        company.setLegalForm("LTD");
        company.setCapital("5000000.00");
        return company;
    }

    private static Result result(String code, String text) {
        Result result = new Result();
        result.setCode(code);
        result.setText(text);
        return result;
    }

    /** The contract declares no fault of its own: a bare SOAP Fault. */
    private static SOAPFaultException fault(String code, String text) {
        try {
            QName name = new QName(SOAPConstants.URI_NS_SOAP_1_1_ENVELOPE, "Server." + code);
            return new SOAPFaultException(SOAPFactory.newInstance().createFault(text, name));
        } catch (SOAPException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
