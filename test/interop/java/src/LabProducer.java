import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/**
 * Sends numbered messages with Apache's unmodified client and prints one JSON line per outcome.
 * Options: namesrv, topic, count, size, mode=sync|async|oneway|batch, rate (a second, 0 = as fast as it goes), tag, delay, delays=each (message i has level i + 1), prefix,
 * accessKey and secretKey (signed).
 */
public final class LabProducer {
    private static final Object OUT = new Object();

    private static void print(String key, String status, String queue, long offset, String id, String error) {
        synchronized (OUT) {
            System.out.println("{\"event\":\"send\",\"key\":\"" + key + "\",\"status\":\"" + status + "\",\"queue\":\"" + queue
                + "\",\"offset\":" + offset + ",\"offsetMsgId\":\"" + id + "\",\"error\":\"" + error.replace('"', '\'').replace('\\', '/').replace('\n', ' ')
                + "\",\"at\":" + System.currentTimeMillis() + "}");
        }
    }

    private static void printResult(String key, SendResult result) {
        print(key, result.getSendStatus().name(), result.getMessageQueue().getBrokerName() + "/" + result.getMessageQueue().getQueueId(),
            result.getQueueOffset(), result.getOffsetMsgId(), "");
    }

    private static Message message(Options options, int number) {
        String key = options.text("prefix", "m") + "-" + number;
        byte[] head = key.getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[Math.max(options.number("size", 64), head.length)];
        java.util.Arrays.fill(body, (byte) '.');
        System.arraycopy(head, 0, body, 0, head.length);
        Message message = new Message(options.text("topic", "LabTopic"), options.text("tag", "TagA"), key, body);
        if (options.number("delay", 0) > 0) {
            message.setDelayTimeLevel(options.number("delay", 0));
        } else if ("each".equals(options.text("delays", ""))) {
            message.setDelayTimeLevel(number + 1);
        }
        return message;
    }

    public static void main(String[] args) throws Exception {
        Options options = new Options(args);
        DefaultMQProducer producer = new DefaultMQProducer(options.text("group", "PG_lab"), Secured.hook(options));
        producer.setNamesrvAddr(options.text("namesrv", "127.0.0.1:9876"));
        producer.setRetryTimesWhenSendFailed(options.number("retries", 2));
        producer.setSendMsgTimeout(options.number("timeout", 3000));
        producer.start();
        int count = options.number("count", 10);
        int rate = options.number("rate", 0);
        String mode = options.text("mode", "sync");
        long started = System.nanoTime();
        System.out.println("{\"event\":\"started\"}");
        CountDownLatch done = new CountDownLatch("async".equals(mode) ? count : 0);
        if ("batch".equals(mode)) {
            List<Message> batch = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                batch.add(message(options, i));
            }
            printResult("batch", producer.send(batch));
            count = 0;
        }
        for (int i = 0; i < count; i++) {
            if (rate > 0) {
                long due = started + (long) i * 1_000_000_000L / rate;
                long wait = due - System.nanoTime();
                if (wait > 0) {
                    Thread.sleep(wait / 1_000_000L, (int) (wait % 1_000_000L));
                }
            }
            Message message = message(options, i);
            String key = message.getKeys();
            try {
                if ("sync".equals(mode)) {
                    printResult(key, producer.send(message));
                } else if ("oneway".equals(mode)) {
                    producer.sendOneway(message);
                    print(key, "ONEWAY", "", -1, "", "");
                } else {
                    producer.send(message, new SendCallback() {
                        @Override
                        public void onSuccess(SendResult result) {
                            printResult(key, result);
                            done.countDown();
                        }

                        @Override
                        public void onException(Throwable error) {
                            print(key, "EXCEPTION", "", -1, "", String.valueOf(error.getMessage()));
                            done.countDown();
                        }
                    });
                }
            } catch (Exception error) {
                print(key, "EXCEPTION", "", -1, "", error.getClass().getSimpleName() + " " + error.getMessage());
                if ("async".equals(mode)) {
                    done.countDown();
                }
            }
        }
        done.await();
        if ("oneway".equals(mode)) {
            // The client closes its connection with one-way sends still in its buffers: an answered send behind them says they left.
            options.put("prefix", "barrier");
            producer.send(message(options, 0));
        }
        System.out.println("{\"event\":\"finished\"}");
        System.out.flush();
        producer.shutdown();
        System.exit(0);
    }
}
