package counterparties;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The test certificates of the sandbox, PEM files in a folder, as Java wants them. */
final class Keys {
    static final char[] NO_SECRET = "only-in-memory".toCharArray();

    private final Path folder;

    Keys(Path folder) {
        this.folder = folder;
    }

    /** TLS with the institution's server certificate, for clients that the authority vouches for. */
    SSLContext tls() throws GeneralSecurityException, IOException {
        KeyManagerFactory ours = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        ours.init(withKey("server", "EC"), NO_SECRET);
        TrustManagerFactory theirs = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        theirs.init(certificatesOf("authority"));
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(ours.getKeyManagers(), theirs.getTrustManagers(), null);
        return tls;
    }

    /** What the institution signs its answers with, under the alias "institution". */
    KeyStore institution() throws GeneralSecurityException, IOException {
        return withKey("institution", "RSA");
    }

    /** The one certificate whose signatures are believed. */
    KeyStore gateway() throws GeneralSecurityException, IOException {
        return certificatesOf("signer");
    }

    private KeyStore withKey(String name, String algorithm) throws GeneralSecurityException, IOException {
        String pem = Files.readString(folder.resolve(name + ".key"));
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        PrivateKey key = KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
        KeyStore store = empty();
        store.setKeyEntry(name, key, NO_SECRET, new Certificate[] {certificate(name)});
        return store;
    }

    private KeyStore certificatesOf(String name) throws GeneralSecurityException, IOException {
        KeyStore store = empty();
        store.setCertificateEntry(name, certificate(name));
        return store;
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private Certificate certificate(String name) throws GeneralSecurityException, IOException {
        try (InputStream file = Files.newInputStream(folder.resolve(name + ".pem"))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
    }
}
