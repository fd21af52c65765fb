import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import javax.annotation.Resource;
import javax.jws.WebMethod;
import javax.jws.WebParam;
import javax.jws.WebResult;
import javax.jws.WebService;
import javax.jws.soap.SOAPBinding.ParameterStyle;
import javax.xml.bind.annotation.XmlAccessType;
import javax.xml.bind.annotation.XmlAccessorType;
import javax.xml.bind.annotation.XmlElement;
import javax.xml.bind.annotation.XmlMimeType;
import javax.xml.ws.BindingType;
import javax.xml.ws.Endpoint;
import javax.xml.ws.WebServiceContext;
import javax.xml.ws.handler.MessageContext;
import javax.xml.ws.soap.MTOM;
import javax.xml.ws.soap.SOAPBinding;

/** Takes uploads by SOAP 1.1 and 1.2; the WSDL is the framework's own. It says what it read, and how it came. */
public final class Uploads {
    private static final String NAMESPACE = "urn:uploads";

    @XmlAccessorType(XmlAccessType.FIELD)
    public static class Upload {
        @XmlElement(required = true) public String requestId;

        @XmlElement(required = true)
        @XmlMimeType("image/png")
        public javax.activation.DataHandler photo;

        public byte[] scan;
    }

    @XmlAccessorType(XmlAccessType.FIELD)
    public static class Taken {
        @XmlElement(required = true) public String resultCode;
        @XmlElement(required = true) public String seen;
    }

    @WebService(targetNamespace = NAMESPACE, serviceName = "Uploads", portName = "Port")
    @javax.jws.soap.SOAPBinding(parameterStyle = ParameterStyle.BARE)
    @MTOM
    public static class Port11 {
        @Resource private WebServiceContext context;

        @WebMethod(action = "urn:uploads:Submit")
        @WebResult(name = "SubmitPhotoResponse", targetNamespace = NAMESPACE)
        public Taken submitPhoto(@WebParam(name = "SubmitPhoto", targetNamespace = NAMESPACE) Upload upload) {
            Map<?, ?> headers = (Map<?, ?>) context.getMessageContext().get(MessageContext.HTTP_REQUEST_HEADERS);
            Taken taken = new Taken();
            taken.resultCode = "0";
            taken.seen = String.join(
                    " ",
                    digest(bytes(upload.photo)),
                    upload.scan == null ? "-" : digest(upload.scan),
                    String.valueOf(headers.get("Content-Type")));
            return taken;
        }
    }

    @WebService(targetNamespace = NAMESPACE, serviceName = "Uploads", portName = "Port")
    @javax.jws.soap.SOAPBinding(parameterStyle = ParameterStyle.BARE)
    @BindingType(SOAPBinding.SOAP12HTTP_BINDING)
    @MTOM
    public static class Port12 extends Port11 {}

    private static byte[] bytes(javax.activation.DataHandler handler) {
        try (java.io.InputStream in = handler.getInputStream()) {
            return in.readAllBytes();
        } catch (java.io.IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String digest(byte[] content) {
        try {
            StringBuilder hex = new StringBuilder();
            for (byte one : MessageDigest.getInstance("SHA-256").digest(content)) {
                hex.append(String.format("%02x", one));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        Endpoint.create(new Port11()).publish(server.createContext("/uploads11"));
        Endpoint.create(new Port12()).publish(server.createContext("/uploads12"));
        server.start();
        System.out.println("ready " + server.getAddress().getPort());
    }
}
