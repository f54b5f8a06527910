import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Lite pull consumers of one JVM, by id. */
final class FeatureLite {
    private final Map<String, DefaultLitePullConsumer> consumers = new ConcurrentHashMap<>();

    void start(Options options) throws Exception {
        String id = options.text("id", "l");
        String topic = options.text("topic", "");
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(options.text("group", "CG_" + id));
        consumer.setNamesrvAddr(options.text("namesrv", ""));
        consumer.setInstanceName(id);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setAutoCommit("true".equals(options.text("auto", "true")));
        boolean assigns = !options.text("queues", "").isEmpty();
        if (!assigns) {
            consumer.subscribe(topic, options.text("tags", "*"));
        }
        consumer.start();
        consumers.put(id, consumer);
        if (assigns) {
            List<MessageQueue> own = new ArrayList<>();
            for (MessageQueue queue : consumer.fetchMessageQueues(topic)) {
                if (List.of(options.text("queues", "").split(",")).contains(String.valueOf(queue.getQueueId()))) {
                    own.add(queue);
                }
            }
            consumer.assign(own);
        }
    }

    private DefaultLitePullConsumer get(Options options) {
        return consumers.get(options.text("id", "l"));
    }

    private MessageQueue queue(Options options) throws Exception {
        int wanted = options.number("queue", 0);
        return get(options).fetchMessageQueues(options.text("topic", "")).stream().filter(queue -> queue.getQueueId() == wanted).findFirst().orElseThrow();
    }

    int poll(Options options) {
        List<MessageExt> messages = get(options).poll(options.number("ms", 1000));
        messages.forEach(message -> FeatureConsumers.describe(new Json("recv").put("consumer", options.text("id", "l")), message).print());
        return messages.size();
    }

    void seek(Options options) throws Exception {
        get(options).seek(queue(options), options.number("offset", 0));
    }

    long offsetAt(Options options) throws Exception {
        return get(options).offsetForTimestamp(queue(options), Long.parseLong(options.text("time", "0")));
    }

    long committed(Options options) throws Exception {
        return get(options).committed(queue(options));
    }

    void commit(Options options) {
        get(options).commitSync();
    }

    void setPaused(Options options, boolean paused) throws Exception {
        List<MessageQueue> all = new ArrayList<>(get(options).fetchMessageQueues(options.text("topic", "")));
        if (paused) {
            get(options).pause(all);
        } else {
            get(options).resume(all);
        }
    }

    void stop(Options options) {
        consumers.remove(options.text("id", "l")).shutdown();
    }
}
