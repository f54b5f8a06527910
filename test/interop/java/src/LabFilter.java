import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.broker.filter.MessageEvaluationContext;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.Expression;

/**
 * Judges messages with Apache's own SQL92 filters. A line in: the expression, then names and values in turn, each in Base64, with blanks between.
 * A line out: E does not compile, T true, F false, U unknown, X evaluating it throws.
 */
public final class LabFilter {
    private static String text(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    private static String judge(String line) {
        String[] words = line.split(" ", -1);
        Map<String, String> properties = new HashMap<>();
        for (int i = 1; i + 1 < words.length; i += 2) {
            properties.put(text(words[i]), text(words[i + 1]));
        }
        Expression expression;
        try {
            expression = FilterFactory.INSTANCE.get("SQL92").compile(text(words[0]));
        } catch (Throwable error) {
            return "E";
        }
        try {
            Object result = expression.evaluate(new MessageEvaluationContext(properties));
            return result == null ? "U" : Boolean.TRUE.equals(result) ? "T" : "F";
        } catch (Throwable error) {
            return "X";
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        StringBuilder output = new StringBuilder();
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.append(judge(line)).append('\n');
        }
        System.out.print(output);
        System.out.println("finished");
        System.exit(0);
    }
}
