package counterparties;

import com.sun.xml.ws.developer.SchemaValidation;
import com.sun.xml.ws.developer.Serialization;
import counterparties.university.Applicant;
import counterparties.university.Copy;
import counterparties.university.Document;
import counterparties.university.DocumentKind;
import counterparties.university.DocumentStatus;
import counterparties.university.Entry;
import counterparties.university.FindStudent;
import counterparties.university.FindStudentResponse;
import counterparties.university.Progress;
import counterparties.university.RequestDocument;
import counterparties.university.Result;
import counterparties.university.Student;
import counterparties.university.StudentDocuments;
import counterparties.university.UniversityFault;
import counterparties.university.UniversityFault_Exception;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.jws.WebService;
import javax.xml.ws.soap.MTOM;

/** Student documents of Damascus University: answers in windows-1256, the document as an attachment. */
@WebService(
        endpointInterface = "counterparties.university.StudentDocuments",
        targetNamespace = "urn:damascusuniversity.edu.sy:student-documents:v1",
        serviceName = "StudentDocumentsService",
        portName = "StudentDocumentsPort")
@MTOM
@Serialization(encoding = "windows-1256")
@SchemaValidation
public final class University implements StudentDocuments {
    private static final String UNKNOWN = "99000000901";
    private static final String OWES_FEES = "99000000904";
    private static final String SIGNED_LATER = "99000000911";
    private static final String BUSY = "99000000921";
    private static final int SCAN_BYTES = 3 * 1024 * 1024;

    private final Ledger ledger;
    private final Map<String, RequestDocument> waiting = new ConcurrentHashMap<>();

    University(Ledger ledger) {
        this.ledger = ledger;
    }

    @Override
    public FindStudentResponse findStudent(FindStudent asked) throws UniversityFault_Exception {
        String person = asked.getApplicant().getNationalNumber();
        if (person.equals(UNKNOWN)) {
            throw fault("STUDENT_UNKNOWN", "لا يوجد طالب بهذا الرقم في الكلية");
        }
        if (person.equals(BUSY)) {
            throw fault("BUSY", "الخدمة مشغولة");
        }
        FindStudentResponse found = new FindStudentResponse();
        found.setResult(result("0", "تمّت العملية"));
        found.setEntry(entry(asked.getApplicant(), asked.getStudent()));
        return found;
    }

    @Override
    public Progress requestDocument(RequestDocument asked) throws UniversityFault_Exception {
        String person = asked.getApplicant().getNationalNumber();
        if (person.equals(OWES_FEES)) {
            throw fault("FEES_DUE", "على الطالب رسوم مستحقة");
        }
        ledger.did(
                asked.getRequestId(), "document",
                "name", asked.getApplicant().getFullName(),
                "mother", asked.getApplicant().getMotherName(),
                "kind", asked.getWanted().getKind().value());
        if (person.equals(SIGNED_LATER)) {
            waiting.put(asked.getRequestId(), asked);
            Progress progress = new Progress();
            progress.setRequestId(asked.getRequestId());
            progress.setResult(result("1", "استُلم الطلب"));
            progress.setReceipt("٥٠07");
            progress.setAskAgainInSeconds(1);
            return progress;
        }
        return issued(asked);
    }

    @Override
    public Progress documentStatus(DocumentStatus asked) {
        RequestDocument known = waiting.get(asked.getRequestId());
        if (known != null) {
            return issued(known);
        }
        Progress progress = new Progress();
        progress.setRequestId(asked.getRequestId());
        progress.setResult(result("-1", "لا يوجد طلب بهذا الرقم"));
        return progress;
    }

    private Progress issued(RequestDocument asked) {
        byte[] content = Paper.pdf("Student document " + asked.getRequestId(), SCAN_BYTES);
        Document document = new Document();
        document.setFileName("كشف-العلامات.pdf");
        document.setContentType("application/pdf");
        document.setSha256(Paper.sha256(content));
        document.setContent(content);
        Progress progress = new Progress();
        progress.setRequestId(asked.getRequestId());
        progress.setResult(result("0", "تمّت العملية"));
        progress.setIssuedOn(LocalDate.now().format(DateTimeFormatter.ofPattern("yyyy/MM/dd")));
        progress.setEntry(entry(asked.getApplicant(), asked.getStudent()));
        if (asked.getWanted().getKind() == DocumentKind.MILITARY_DEFERMENT) {
            Copy copy = new Copy();
            copy.setOffice(asked.getWanted().getOffice());
            copy.setNumber("٧-" + asked.getWanted().getOffice());
            progress.setCopy(copy);
        }
        progress.setDocument(document);
        return progress;
    }

    private static Entry entry(Applicant applicant, Student student) {
        Entry entry = new Entry();
        entry.setFullName(applicant.getFullName().replace("ا", "ـا"));
        entry.setNumber("٢٠" + student.getNumber().substring(2));
        entry.setFaculty(student.getFaculty());
        return entry;
    }

    private static Result result(String code, String text) {
        Result result = new Result();
        result.setCode(code);
        result.setText(text);
        return result;
    }

    private static UniversityFault_Exception fault(String code, String text) {
        UniversityFault detail = new UniversityFault();
        detail.setCode(code);
        detail.setText(text);
        return new UniversityFault_Exception("refused", detail);
    }
}
