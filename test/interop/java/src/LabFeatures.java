import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.rocketmq.client.trace.TraceBean;
import org.apache.rocketmq.client.trace.TraceContext;
import org.apache.rocketmq.client.trace.TraceDataEncoder;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Apache's unmodified client, many features in one JVM. A line in is a command and its `name=value` options, separated by tabs; what happens is
 * printed as JSON lines, and each command ends with an event `done` or `failed`. Options given on the command line hold for all commands.
 */
public final class LabFeatures {
    private final FeatureProducers producers = new FeatureProducers();
    private final FeatureConsumers consumers = new FeatureConsumers();
    private final FeatureLite lites = new FeatureLite();

    private static List<String> decodeTrace(Options options) {
        String text = new String(Base64.getDecoder().decode(options.text("data", "")), StandardCharsets.UTF_8);
        List<String> records = new ArrayList<>();
        for (TraceContext context : TraceDataEncoder.decoderFromTraceDataString(text)) {
            TraceBean bean = context.getTraceBeans().get(0);
            records.add(context.getTraceType() + "|" + bean.getMsgId() + "|" + bean.getKeys() + "|" + context.isSuccess());
        }
        return records;
    }

    /** Runs one mqadmin command in this JVM. @return what it printed */
    private static String admin(Options options) {
        PrintStream before = System.out;
        ByteArrayOutputStream caught = new ByteArrayOutputStream();
        System.setProperty("rocketmq.home.dir", options.text("home", ""));
        System.setOut(new PrintStream(caught, true, StandardCharsets.UTF_8));
        try {
            MQAdminStartup.main0(options.text("args", "").split(" "), null);
        } finally {
            System.setOut(before);
        }
        return caught.toString(StandardCharsets.UTF_8);
    }

    private void run(String command, Options options, Json done) throws Exception {
        switch (command) {
            case "send" -> producers.send(options);
            case "find" -> done.put("list", producers.find(options, options.text("how", "key")));
            case "consume" -> consumers.start(options);
            case "suspend" -> consumers.suspend(options);
            case "resume" -> consumers.resume(options);
            case "stop" -> consumers.stop(options);
            case "allocate" -> done.put("list", FeatureConsumers.allocate(options));
            case "lite" -> lites.start(options);
            case "poll" -> done.put("number", lites.poll(options));
            case "seek" -> lites.seek(options);
            case "offsetAt" -> done.put("number", lites.offsetAt(options));
            case "commit" -> lites.commit(options);
            case "committed" -> done.put("number", lites.committed(options));
            case "litePause" -> lites.setPaused(options, true);
            case "liteResume" -> lites.setPaused(options, false);
            case "liteStop" -> lites.stop(options);
            case "trace" -> done.put("list", decodeTrace(options));
            case "mqadmin" -> done.put("reply", admin(options));
            case "stopProducers" -> producers.stop();
            default -> throw new IllegalArgumentException("no command " + command);
        }
    }

    public static void main(String[] args) throws Exception {
        LabFeatures features = new LabFeatures();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        // Made first: it keeps standard output as it is now.
        new Json("started").print();
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split("\t");
            String[] own = java.util.Arrays.copyOfRange(words, 2, words.length);
            Options options = new Options(java.util.stream.Stream.of(args, own).flatMap(java.util.Arrays::stream).toArray(String[]::new));
            Json done = new Json("done").put("number-of-command", words[0]);
            try {
                features.run(words[1], options, done);
                done.print();
            } catch (Throwable error) {
                new Json("failed").put("number-of-command", words[0]).put("message", String.valueOf(error)).print();
            }
        }
        System.exit(0);
    }
}
