package counterparties;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;

/** A document that an institution issues: a small PDF, or one made as large as a scan. */
final class Paper {
    private Paper() {}

    static byte[] pdf(String title, int atLeastBytes) {
        String words = "BT /F1 12 Tf 72 720 Td (" + title.replaceAll("[^0-9a-zA-Z -]", "") + ") Tj ET";
        String begin =
                "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                        + "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
                        + "/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
                        + "4 0 obj<</Length " + words.length() + ">>stream\n" + words + "\nendstream endobj\n"
                        + "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n";
        String end = "trailer<</Root 1 0 R>>\n%%EOF\n";
        int missing = Math.max(0, atLeastBytes - begin.length() - end.length() - 2);
        String scan = missing == 0 ? "" : "%" + "0123456789abcdef".repeat(missing / 16 + 1) + "\n";
        return (begin + scan + end).getBytes(StandardCharsets.US_ASCII);
    }

    static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
