import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs many mqadmin commands, and the clients they look at, in one JVM. Each line of standard input is a request, its words separated by
 * tabs; each answer is one line: the number of the request and what it printed, in Base64.
 *   run MS COMMAND ARGS…           one mqadmin command, interrupted after MS
 *   send NAMESRV TOPIC COUNT       messages m0 … to the topic's queues in turn, traced; answers unique id, tab, offset id of each
 *   consume NAMESRV TOPIC GROUP    starts a push consumer, traced; answers when it has started
 *   stop                           stops all consumers and producers
 */
public final class LabAdmin {
    private static final PrintStream OUT = System.out;
    private static final PrintStream ERR = System.err;
    private static final List<DefaultMQPushConsumer> CONSUMERS = new ArrayList<>();
    private static final List<DefaultMQProducer> PRODUCERS = new ArrayList<>();

    private static String runCommand(long limitMs, String[] args) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream captured = new PrintStream(bytes, true, "UTF-8");
        System.setOut(captured);
        System.setErr(captured);
        Thread thread = new Thread(() -> MQAdminStartup.main0(args, null), "mqadmin");
        thread.start();
        thread.join(limitMs);
        if (thread.isAlive()) {
            thread.interrupt();
            thread.join(5000);
        }
        captured.flush();
        System.setOut(OUT);
        System.setErr(ERR);
        return bytes.toString("UTF-8");
    }

    private static String send(String namesrv, String topic, int count) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("PG_admin", true);
        producer.setNamesrvAddr(namesrv);
        producer.setInstanceName("producer");
        producer.start();
        PRODUCERS.add(producer);
        List<MessageQueue> queues = producer.fetchPublishMessageQueues(topic);
        queues.sort(null);
        StringBuilder ids = new StringBuilder();
        for (int i = 0; i < count; i++) {
            byte[] body = ("m" + i).getBytes(StandardCharsets.UTF_8);
            Message message = new Message(topic, i % 2 == 0 ? "TagA" : "TagB", "key-" + i, body);
            SendResult result = producer.send(message, queues.get(i % queues.size()));
            ids.append(result.getMsgId()).append('\t').append(result.getOffsetMsgId()).append('\n');
        }
        return ids.toString();
    }

    private static String consume(String namesrv, String topic, String group) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group, true);
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName("consumer-" + group);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
        consumer.start();
        CONSUMERS.add(consumer);
        return "started\n";
    }

    private static String stop() {
        CONSUMERS.forEach(DefaultMQPushConsumer::shutdown);
        PRODUCERS.forEach(DefaultMQProducer::shutdown);
        CONSUMERS.clear();
        PRODUCERS.clear();
        return "stopped\n";
    }

    private static String serve(String[] words) throws Exception {
        switch (words[0]) {
            case "run":
                return runCommand(Long.parseLong(words[1]), Arrays.copyOfRange(words, 2, words.length));
            case "send":
                return send(words[1], words[2], Integer.parseInt(words[3]));
            case "consume":
                return consume(words[1], words[2], words[3]);
            default:
                return stop();
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        OUT.println("ready");
        int number = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String printed;
            try {
                printed = serve(line.split("\t", -1));
            } catch (Exception error) {
                printed = "HARNESS FAILED " + error + "\n";
            }
            OUT.println("answer " + number + " " + Base64.getEncoder().encodeToString(printed.getBytes(StandardCharsets.UTF_8)));
            number++;
        }
        System.exit(0);
    }
}
