import java.io.PrintStream;
import java.util.StringJoiner;

/** One JSON line on standard output, written whole. */
final class Json {
    /** Standard output as it was at the start: a tool's own output may be caught meanwhile. */
    private static final PrintStream OUT = System.out;
    private final StringJoiner fields = new StringJoiner(",", "{", "}");

    Json(String event) {
        put("event", event);
    }

    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : String.valueOf(text).toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    Json put(String name, String value) {
        fields.add(quote(name) + ":" + quote(value));
        return this;
    }

    Json put(String name, long value) {
        fields.add(quote(name) + ":" + value);
        return this;
    }

    Json put(String name, boolean value) {
        fields.add(quote(name) + ":" + value);
        return this;
    }

    /** @param items texts */
    Json put(String name, Iterable<String> items) {
        StringJoiner list = new StringJoiner(",", "[", "]");
        items.forEach(item -> list.add(quote(item)));
        fields.add(quote(name) + ":" + list);
        return this;
    }

    void print() {
        synchronized (OUT) {
            OUT.println(fields);
        }
    }
}
