package counterparties;

import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.xml.transform.stream.StreamSource;
import javax.xml.ws.Endpoint;
import javax.xml.ws.soap.SOAPBinding;

/**
 * Three institutions played by the JAX-WS reference implementation over their own contracts:
 * {@code java counterparties.Counterparties CONNECTORS CERTIFICATES}, the folders of both.
 *
 * <p>Prints {@code ready HTTP HTTPS}, the two ports of loopback, and runs until it is ended. {@code GET /_effects/NAME} on the
 * first tells what that institution did and what it read in the requests, {@code GET /_answers/NAME} in which form it answered.
 */
public final class Counterparties {
    private static final String USER = "jisr-counterparty";
    private static final String PASSWORD = "counterparty-only";

    private final Path connectors;

    private Counterparties(Path connectors) {
        this.connectors = connectors;
    }

    public static void main(String[] arguments) throws Exception {
        Keys keys = new Keys(Path.of(arguments[1]));
        Counterparties all = new Counterparties(Path.of(arguments[0]));
        HttpServer http = HttpServer.create(anyPort(), 0);
        HttpsServer https = HttpsServer.create(anyPort(), 0);
        https.setHttpsConfigurator(withClientCertificate(keys.tls()));

        Ledger university = told(http, "damascus_university");
        all.publish(
                new University(university),
                "damascus_university/wsdl/student-documents.wsdl",
                known(noted(http.createContext("/students/documents"), university)));
        Ledger register = told(http, "internal_trade");
        all.publish(
                new Register(register),
                "internal_trade/wsdl/commercial-register.wsdl",
                known(noted(http.createContext("/register/services/CommercialRegister"), register)));
        Ledger passports = told(http, "interior");
        Endpoint signed =
                all.endpoint(new PassportOffice(passports), "interior/wsdl/passports.wsdl");
        ((SOAPBinding) signed.getBinding()).setHandlerChain(List.of(new SignedMessages(keys)));
        signed.publish(noted(https.createContext("/passports/v1"), passports));

        for (HttpServer server : List.of(http, https)) {
            server.setExecutor(Executors.newFixedThreadPool(8));
            server.start();
        }
        System.out.println("ready " + http.getAddress().getPort() + " " + https.getAddress().getPort());
    }

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private void publish(Object service, String contract, HttpContext context) {
        endpoint(service, contract).publish(context);
    }

    /** The runtime judges every message against the schema of the very contract that the connector brings. */
    private Endpoint endpoint(Object service, String contract) {
        Endpoint made = Endpoint.create(service);
        made.setMetadata(List.of(new StreamSource(connectors.resolve(contract).toFile())));
        return made;
    }

    private static HttpContext known(HttpContext context) {
        context.setAuthenticator(
                new BasicAuthenticator("counterparty") {
                    @Override
                    public boolean checkCredentials(String user, String password) {
                        return USER.equals(user) && PASSWORD.equals(password);
                    }
                });
        return context;
    }

    private static HttpsConfigurator withClientCertificate(SSLContext tls) {
        return new HttpsConfigurator(tls) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters wanted = getSSLContext().getDefaultSSLParameters();
                wanted.setNeedClientAuth(true);
                parameters.setSSLParameters(wanted);
            }
        };
    }

    private static Ledger told(HttpServer server, String name) {
        Ledger ledger = new Ledger();
        tell(server, "/_effects/" + name, ledger::effects);
        tell(server, "/_answers/" + name, ledger::answers);
        return ledger;
    }

    private static void tell(HttpServer server, String path, Supplier<byte[]> what) {
        server.createContext(
                path,
                exchange -> {
                    try (exchange) {
                        byte[] content = what.get();
                        exchange.getResponseHeaders().set("Content-Type", "application/json");
                        exchange.sendResponseHeaders(200, content.length);
                        exchange.getResponseBody().write(content);
                    }
                });
    }

    /** The context, where the form of every answer is written down. */
    private static HttpContext noted(HttpContext context, Ledger ledger) {
        context.getFilters()
                .add(
                        Filter.afterHandler(
                                "notes the content type",
                                exchange ->
                                        ledger.answered(exchange.getResponseHeaders().getFirst("Content-Type"))));
        return context;
    }
}
