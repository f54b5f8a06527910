import java.util.HashMap;
import java.util.Map;

/** `name=value` arguments. */
final class Options {
    private final Map<String, String> values = new HashMap<>();

    Options(String[] args) {
        for (String arg : args) {
            int at = arg.indexOf('=');
            if (at <= 0) {
                throw new IllegalArgumentException("not name=value: " + arg);
            }
            values.put(arg.substring(0, at), arg.substring(at + 1));
        }
    }

    void put(String name, String value) {
        values.put(name, value);
    }

    String text(String name, String fallback) {
        return values.getOrDefault(name, fallback);
    }

    int number(String name, int fallback) {
        return values.containsKey(name) ? Integer.parseInt(values.get(name)) : fallback;
    }
}
