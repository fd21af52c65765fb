package counterparties;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.xml.namespace.QName;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.soap.SOAPConstants;
import javax.xml.soap.SOAPMessage;
import javax.xml.transform.dom.DOMSource;
import javax.xml.ws.handler.MessageContext;
import javax.xml.ws.handler.soap.SOAPHandler;
import javax.xml.ws.handler.soap.SOAPMessageContext;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.components.crypto.Crypto;
import org.apache.ws.security.components.crypto.Merlin;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * WS-Security X.509 by Apache WSS4J: whoever's Body and Timestamp the gateway did not sign is answered by a Fault, and every
 * answer is signed by the institution. WSS4J also holds the requests against the WS-I Basic Security Profile.
 */
final class SignedMessages implements SOAPHandler<SOAPMessageContext> {
    private static final String ENVELOPE = SOAPConstants.URI_NS_SOAP_1_1_ENVELOPE;
    private static final String RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    private static final String SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    private static final int LIFETIME_SECONDS = 120;

    private final Crypto gateway;
    private final Crypto institution;

    SignedMessages(Keys keys) throws Exception {
        gateway = crypto(keys.gateway());
        institution = crypto(keys.institution());
    }

    @Override
    public Set<QName> getHeaders() {
        return Set.of(new QName(WSConstants.WSSE_NS, "Security"));
    }

    @Override
    public boolean handleMessage(SOAPMessageContext context) {
        try {
            Document message = parsed(context.getMessage());
            if (Boolean.TRUE.equals(context.get(MessageContext.MESSAGE_OUTBOUND_PROPERTY))) {
                context.getMessage().getSOAPPart().setContent(new DOMSource(sign(message)));
            } else {
                verify(message);
            }
            return true;
        } catch (Exception unbelievable) {
            unbelievable.printStackTrace();
            throw new IllegalStateException("the message is not signed as agreed", unbelievable);
        }
    }

    @Override
    public boolean handleFault(SOAPMessageContext context) {
        return handleMessage(context);
    }

    @Override
    public void close(MessageContext context) {
        // nothing is kept between messages
    }

    private void verify(Document message) throws Exception {
        List<WSSecurityEngineResult> results = new WSSecurityEngine().processSecurityHeader(message, null, null, gateway);
        Set<Element> signed = new HashSet<>();
        for (WSSecurityEngineResult result : results == null ? List.<WSSecurityEngineResult>of() : results) {
            Object references = result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS);
            if (references instanceof List<?> list) {
                list.forEach(reference -> signed.add(((WSDataRef) reference).getProtectedElement()));
            }
        }
        Element body = (Element) message.getElementsByTagNameNS(ENVELOPE, "Body").item(0);
        Element time = (Element) message.getElementsByTagNameNS(WSConstants.WSU_NS, "Timestamp").item(0);
        if (!signed.contains(body) || !signed.contains(time)) {
            throw new SecurityException("Body and Timestamp are not signed");
        }
    }

    private Document sign(Document message) throws Exception {
        WSSecHeader header = new WSSecHeader();
        header.insertSecurityHeader(message);
        WSSecTimestamp time = new WSSecTimestamp();
        time.setTimeToLive(LIFETIME_SECONDS);
        time.build(message, header);
        WSSecSignature signature = new WSSecSignature();
        signature.setUserInfo("institution", new String(Keys.NO_SECRET));
        signature.setKeyIdentifierType(WSConstants.BST_DIRECT_REFERENCE);
        signature.setSignatureAlgorithm(RSA_SHA256);
        signature.setDigestAlgo(SHA256);
        signature.setParts(
                List.of(
                        new WSEncryptionPart("Body", ENVELOPE, "Content"),
                        new WSEncryptionPart("Timestamp", WSConstants.WSU_NS, "Element")));
        return signature.build(message, institution, header);
    }

    private static Crypto crypto(java.security.KeyStore keys) throws Exception {
        Merlin crypto = new Merlin();
        crypto.setKeyStore(keys);
        return crypto;
    }

    private static Document parsed(SOAPMessage message) throws Exception {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        message.writeTo(written);
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(written.toByteArray()));
    }
}
