package counterparties;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What one institution did, and what it read in the request that it did it for. */
final class Ledger {
    private record Effect(String operationId, String what, Map<String, String> seen) {}

    private final List<Effect> effects = new ArrayList<>();
    private final List<String> answers = new ArrayList<>();

    /** Writes one effect down; {@code seen} are names and values in turn. Gives how many there are now. */
    synchronized int did(String operationId, String what, String... seen) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (int index = 0; index < seen.length; index += 2) {
            pairs.put(seen[index], Objects.toString(seen[index + 1], ""));
        }
        effects.add(new Effect(operationId, what, pairs));
        return effects.size();
    }

    /** Writes down in which form an answer left: its content type. */
    synchronized void answered(String contentType) {
        answers.add(quoted(contentType));
    }

    synchronized byte[] answers() {
        return ("[" + String.join(",", answers) + "]").getBytes(StandardCharsets.UTF_8);
    }

    synchronized byte[] effects() {
        List<String> rows = new ArrayList<>();
        for (Effect effect : effects) {
            List<String> seen = new ArrayList<>();
            effect.seen().forEach((name, value) -> seen.add(quoted(name) + ":" + quoted(value)));
            rows.add(
                    "{\"operation_id\":" + quoted(effect.operationId()) + ",\"what\":" + quoted(effect.what())
                            + ",\"seen\":{" + String.join(",", seen) + "}}");
        }
        return ("[" + String.join(",", rows) + "]").getBytes(StandardCharsets.UTF_8);
    }

    private static String quoted(String text) {
        StringBuilder written = new StringBuilder("\"");
        text.chars()
                .forEach(
                        one -> {
                            boolean plain = one >= ' ' && one != '"' && one != '\\';
                            written.append(plain ? String.valueOf((char) one) : String.format("\\u%04x", one));
                        });
        return written.append('"').toString();
    }
}
