import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * The same warmed-up Java producer for both sides of a paired measurement. Reads `run NAMESRV TOPIC SIZE THREADS SECONDS`
 * lines and prints one JSON line a run: synchronous sends from THREADS threads over one producer, SEND_OK counted only.
 */
public final class LabBench {
    private static final Map<String, DefaultMQProducer> PRODUCERS = new HashMap<>();

    private static DefaultMQProducer producer(String namesrv) throws Exception {
        DefaultMQProducer known = PRODUCERS.get(namesrv);
        if (known != null) {
            return known;
        }
        DefaultMQProducer made = new DefaultMQProducer("PG_bench_" + PRODUCERS.size());
        made.setNamesrvAddr(namesrv);
        made.setInstanceName("bench" + PRODUCERS.size());
        made.setRetryTimesWhenSendFailed(0);
        made.setSendMsgTimeout(10_000);
        made.start();
        PRODUCERS.put(namesrv, made);
        return made;
    }

    private static String run(String namesrv, String topic, int size, int threads, double seconds) throws Exception {
        DefaultMQProducer producer = producer(namesrv);
        byte[] body = new byte[size];
        Arrays.fill(body, (byte) 'x');
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong ok = new AtomicLong();
        AtomicLong weak = new AtomicLong();
        AtomicLong failed = new AtomicLong();
        Thread[] workers = new Thread[threads];
        long started = System.nanoTime();
        for (int i = 0; i < threads; i++) {
            workers[i] = new Thread(() -> {
                while (!stop.get()) {
                    try {
                        SendStatus status = producer.send(new Message(topic, body)).getSendStatus();
                        (status == SendStatus.SEND_OK ? ok : weak).incrementAndGet();
                    } catch (Exception error) {
                        failed.incrementAndGet();
                    }
                }
            });
            workers[i].start();
        }
        Thread.sleep((long) (seconds * 1000));
        long count = ok.get();
        double elapsed = (System.nanoTime() - started) / 1e9;
        stop.set(true);
        for (Thread worker : workers) {
            worker.join();
        }
        return "{\"event\":\"run\",\"perSecond\":" + Math.round(count / elapsed) + ",\"ok\":" + ok.get() + ",\"weak\":" + weak.get() + ",\"failed\":" + failed.get() + "}";
    }

    public static void main(String[] args) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("{\"event\":\"started\"}");
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.trim().split(" ");
            try {
                System.out.println(run(words[1], words[2], Integer.parseInt(words[3]), Integer.parseInt(words[4]), Double.parseDouble(words[5])));
            } catch (Exception error) {
                System.out.println("{\"event\":\"error\",\"message\":\"" + String.valueOf(error.getMessage()).replace('"', '\'').replace('\n', ' ') + "\"}");
            }
        }
        System.exit(0);
    }
}
