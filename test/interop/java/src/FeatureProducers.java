import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Producers of one JVM, by group; they also ask for single messages. */
final class FeatureProducers {
    private final Map<String, DefaultMQProducer> producers = new ConcurrentHashMap<>();

    private DefaultMQProducer get(Options options) throws Exception {
        String group = options.text("group", "PG_features");
        DefaultMQProducer known = producers.get(group);
        if (known != null) {
            return known;
        }
        DefaultMQProducer made = new DefaultMQProducer(group, "true".equals(options.text("trace", "false")));
        made.setNamesrvAddr(options.text("namesrv", ""));
        made.setInstanceName(group);
        made.setMaxMessageSize(options.number("limit", 4 * 1024 * 1024));
        made.setSendMsgTimeout(10_000);
        made.start();
        producers.put(group, made);
        return made;
    }

    private static Message message(Options options, int number) {
        String key = options.text("prefix", "m") + "-" + number;
        byte[] head = key.getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[Math.max(options.number("size", 64), head.length)];
        Arrays.fill(body, (byte) '.');
        if ("true".equals(options.text("random", "false"))) {
            new java.util.Random(number).nextBytes(body);
        }
        System.arraycopy(head, 0, body, 0, head.length);
        if (body.length > head.length) {
            body[head.length] = '.';
        }
        Message message = new Message(options.text("topic", ""), options.text("tag", "TagA"), key, body);
        if (options.number("delay", 0) > 0) {
            message.setDelayTimeLevel(options.number("delay", 0));
        }
        String colour = options.text("colour", "");
        if (!colour.isEmpty()) {
            message.putUserProperty("colour", colour);
        }
        return message;
    }

    private static void print(String key, SendResult result) {
        new Json("send").put("key", key).put("status", result.getSendStatus().name())
            .put("queue", result.getMessageQueue().getBrokerName() + "/" + result.getMessageQueue().getQueueId())
            .put("offset", result.getQueueOffset()).put("msgId", result.getMsgId()).put("offsetMsgId", String.valueOf(result.getOffsetMsgId()))
            .put("error", "").put("at", System.currentTimeMillis()).print();
    }

    private static void printError(String key, Throwable error) {
        new Json("send").put("key", key).put("status", "EXCEPTION").put("queue", "").put("offset", -1).put("msgId", "").put("offsetMsgId", "")
            .put("error", error.getClass().getSimpleName() + " " + error.getMessage()).put("at", System.currentTimeMillis()).print();
    }

    void send(Options options) throws Exception {
        DefaultMQProducer producer = get(options);
        String mode = options.text("mode", "sync");
        int count = options.number("count", 1);
        if ("batch".equals(mode)) {
            List<Message> batch = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                batch.add(message(options, i));
            }
            print("batch", producer.send(batch));
            return;
        }
        CountDownLatch done = new CountDownLatch("async".equals(mode) ? count : 0);
        for (int i = 0; i < count; i++) {
            Message message = message(options, i);
            try {
                one(producer, message, mode, done);
            } catch (Exception error) {
                printError(message.getKeys(), error);
                done.countDown();
            }
        }
        done.await();
    }

    private static void one(DefaultMQProducer producer, Message message, String mode, CountDownLatch done) throws Exception {
        String key = message.getKeys();
        if ("oneway".equals(mode)) {
            producer.sendOneway(message);
        } else if ("select".equals(mode)) {
            print(key, producer.send(message, new SelectMessageQueueByHash(), key.substring(0, key.indexOf('-'))));
        } else if ("async".equals(mode)) {
            producer.send(message, new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    print(key, result);
                    done.countDown();
                }

                @Override
                public void onException(Throwable error) {
                    printError(key, error);
                    done.countDown();
                }
            });
        } else {
            print(key, producer.send(message));
        }
    }

    /** @param how key, unique or offset */
    List<String> find(Options options, String how) throws Exception {
        DefaultMQProducer producer = get(options);
        String topic = options.text("topic", "");
        List<MessageExt> found = new ArrayList<>();
        if ("key".equals(how)) {
            long begin = Long.parseLong(options.text("begin", "0"));
            long end = Long.parseLong(options.text("end", String.valueOf(Long.MAX_VALUE)));
            found.addAll(producer.queryMessage(topic, options.text("key", ""), 32, begin, end).getMessageList());
        } else if ("unique".equals(how)) {
            found.add(producer.viewMessage(topic, options.text("key", "")));
        } else {
            found.add(producer.viewMessage(options.text("key", "")));
        }
        List<String> keys = new ArrayList<>();
        found.forEach(message -> keys.add(message.getKeys()));
        return keys;
    }

    void stop() {
        producers.values().forEach(DefaultMQProducer::shutdown);
        producers.clear();
    }
}
