package counterparties;

import com.sun.xml.ws.developer.SchemaValidation;
import counterparties.passports.Application;
import counterparties.passports.Appointment;
import counterparties.passports.BookSlot;
import counterparties.passports.CheckEligibility;
import counterparties.passports.Document;
import counterparties.passports.Eligibility;
import counterparties.passports.GetApplication;
import counterparties.passports.Passports;
import counterparties.passports.ReplacePhoto;
import counterparties.passports.Result;
import counterparties.passports.Scan;
import counterparties.passports.ServiceFault;
import counterparties.passports.ServiceFault_Exception;
import counterparties.passports.Slot;
import counterparties.passports.SubmitApplication;
import java.time.LocalDate;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.jws.WebService;
import javax.xml.datatype.DatatypeConfigurationException;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.XMLGregorianCalendar;

/** The passport service of Interior; its transport is mutual TLS and its messages are signed, see SignedMessages. */
@WebService(
        endpointInterface = "counterparties.passports.Passports",
        targetNamespace = "urn:moi.gov.sy:passports:v1",
        serviceName = "PassportsService",
        portName = "PassportsPort")
@SchemaValidation
public final class PassportOffice implements Passports {
    private static final String WITHHELD = "99000000722";
    private static final String PHOTO_REJECTED = "99000000702";
    private static final String EXAMINED_FIRST = "99000000705";
    private static final String BUSY = "99000000791";

    private static final class Opened {
        private final String number;
        private final String centre;
        private boolean photoRejected;
        private boolean examined = true;
        private String slot;

        private Opened(String number, String centre) {
            this.number = number;
            this.centre = centre;
        }
    }

    private final Ledger ledger;
    private final Map<String, Opened> opened = new ConcurrentHashMap<>();

    PassportOffice(Ledger ledger) {
        this.ledger = ledger;
    }

    @Override
    public Eligibility checkEligibility(CheckEligibility asked) throws ServiceFault_Exception {
        String person = asked.getApplicant().getNationalNumber();
        if (person.equals(BUSY)) {
            ServiceFault detail = new ServiceFault();
            detail.setCode("BUSY");
            detail.setMessage("الخدمة مشغولة");
            throw new ServiceFault_Exception("busy", detail);
        }
        Eligibility answer = new Eligibility();
        answer.setResult(person.equals(WITHHELD) ? result("22", "لا يمكن إصدار جواز سفر") : result("10", "يمكن تقديم الطلب"));
        return answer;
    }

    @Override
    public Application submitApplication(SubmitApplication asked) {
        check(asked.getPhoto());
        check(asked.getIdScan());
        int number = ledger.did(
                asked.getRequestId(), "application",
                "given", asked.getApplicant().getName().getGiven(),
                "family", asked.getApplicant().getName().getFamily(),
                "kind", asked.getKind().value(),
                "photo", asked.getPhoto().getSha256());
        Opened application = new Opened(String.valueOf(40000 + number), asked.getCentre());
        String person = asked.getApplicant().getNationalNumber();
        application.photoRejected = person.equals(PHOTO_REJECTED);
        application.examined = !person.equals(EXAMINED_FIRST);
        opened.put(asked.getRequestId(), application);
        Application answer = where(asked.getRequestId(), application);
        application.examined = true;
        return answer;
    }

    @Override
    public Application replacePhoto(ReplacePhoto asked) {
        check(asked.getPhoto());
        Opened application = opened.get(asked.getApplication());
        application.photoRejected = false;
        ledger.did(asked.getRequestId(), "photo", "photo", asked.getPhoto().getSha256());
        return where(asked.getRequestId(), application);
    }

    @Override
    public Application bookSlot(BookSlot asked) {
        Opened application = opened.get(asked.getApplication());
        application.slot = asked.getSlot();
        ledger.did(asked.getRequestId(), "appointment", "slot", asked.getSlot());
        return where(asked.getRequestId(), application);
    }

    @Override
    public Application getApplication(GetApplication asked) {
        Opened application = opened.get(asked.getRequestId());
        if (application != null) {
            return where(asked.getRequestId(), application);
        }
        Application answer = new Application();
        answer.setRequestId(asked.getRequestId());
        answer.setResult(result("30", "رقم الطلب غير موجود"));
        return answer;
    }

    private static Application where(String requestId, Opened application) {
        Application answer = new Application();
        answer.setRequestId(requestId);
        answer.setApplicationNumber(application.number);
        if (!application.examined) {
            answer.setResult(result("01", "استلم الطلب"));
            answer.setAskAgainInSeconds(1);
        } else if (application.photoRejected) {
            answer.setResult(result("02", "الصورة لا تفي بالشروط"));
            answer.setPhotoFault("الخلفية ليست بيضاء");
        } else if (application.slot == null) {
            answer.setResult(result("03", "اختر موعداً"));
            answer.getSlot().add(slot(application.centre + "-09", "الساعة ٩", "9 o'clock"));
            answer.getSlot().add(slot(application.centre + "-11", "الساعة ١١", "11 o'clock"));
        } else {
            answer.setResult(result("00", "حُجز الموعد"));
            answer.setAppointment(appointment(application));
            answer.setConfirmation(confirmation(application));
        }
        return answer;
    }

    private static Slot slot(String id, String arabic, String latin) {
        Slot slot = new Slot();
        slot.setId(id);
        slot.setArabic(arabic);
        slot.setLatin(latin);
        return slot;
    }

    private static Appointment appointment(Opened application) {
        Appointment appointment = new Appointment();
        appointment.setCentre(application.centre);
        appointment.setSlot(application.slot);
        appointment.setOn(date(LocalDate.now().plusDays(7)));
        return appointment;
    }

    private static Document confirmation(Opened application) {
        byte[] content = Paper.pdf("Appointment " + application.slot, 0);
        Document document = new Document();
        document.setFileName("تأكيد-الموعد.pdf");
        document.setContentType("application/pdf");
        document.setSha256(Paper.sha256(content));
        document.setContent(content);
        return document;
    }

    private static XMLGregorianCalendar date(LocalDate day) {
        try {
            return DatatypeFactory.newInstance().newXMLGregorianCalendar(day + "+03:00");
        } catch (DatatypeConfigurationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static void check(Scan scan) {
        if (!Paper.sha256(scan.getContent()).equals(scan.getSha256())) {
            throw new IllegalArgumentException("a scan differs from its digest");
        }
    }

    private static Result result(String code, String text) {
        Result result = new Result();
        result.setCode(code);
        result.setText(text);
        return result;
    }
}
