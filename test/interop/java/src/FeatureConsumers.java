import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMachineRoomNearby;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragelyByCircle;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByConfig;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByMachineRoom;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueConsistentHash;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.protocol.heartbeat.MessageModel;

/** Push consumers of one JVM, by id. */
final class FeatureConsumers {
    private final Map<String, DefaultMQPushConsumer> consumers = new ConcurrentHashMap<>();

    static Json describe(Json json, MessageExt message) {
        String body = new String(message.getBody(), StandardCharsets.UTF_8);
        int end = body.indexOf('.');
        return json.put("key", message.getKeys()).put("topic", message.getTopic()).put("broker", message.getBrokerName())
            .put("queue", message.getQueueId()).put("offset", message.getQueueOffset()).put("reconsume", message.getReconsumeTimes())
            .put("tags", message.getTags()).put("head", end < 0 ? body : body.substring(0, end)).put("size", message.getBody().length)
            .put("stored", message.getStoreTimestamp()).put("born", message.getBornTimestamp()).put("at", System.currentTimeMillis())
            .put("msgId", message.getMsgId()).put("bornHost", String.valueOf(message.getBornHost()))
            .put("storeHost", String.valueOf(message.getStoreHost()));
    }

    private static void print(String id, List<MessageExt> messages) {
        messages.forEach(message -> describe(new Json("recv").put("consumer", id), message).print());
    }

    /** later=KEY is put off as often as times=N says. */
    private static boolean isPutOff(Options options, List<MessageExt> messages) {
        String later = options.text("later", "");
        return messages.stream().anyMatch(m -> later.equals(m.getKeys()) && m.getReconsumeTimes() < options.number("times", 1));
    }

    void start(Options options) throws Exception {
        String id = options.text("id", "c");
        boolean trace = "true".equals(options.text("trace", "false"));
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(options.text("group", "CG_" + id), trace);
        consumer.setNamesrvAddr(options.text("namesrv", ""));
        consumer.setInstanceName(options.text("instance", id));
        consumer.setConsumeFromWhere(ConsumeFromWhere.valueOf("CONSUME_FROM_" + options.text("from", "FIRST_OFFSET")));
        if (!options.text("timestamp", "").isEmpty()) {
            consumer.setConsumeTimestamp(options.text("timestamp", ""));
        }
        consumer.setMessageModel(MessageModel.valueOf(options.text("model", "CLUSTERING")));
        consumer.setConsumeMessageBatchMaxSize(options.number("batch", 1));
        consumer.setMaxReconsumeTimes(options.number("max", -1));
        consumer.setSuspendCurrentQueueTimeMillis(options.number("suspend", 1000));
        consumer.setAllocateMessageQueueStrategy(strategy(options));
        String sql = options.text("sql", "");
        if (sql.isEmpty()) {
            consumer.subscribe(options.text("topic", ""), options.text("tags", "*"));
        } else {
            consumer.subscribe(options.text("topic", ""), MessageSelector.bySql(sql));
        }
        if ("true".equals(options.text("orderly", "false"))) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                print(id, messages);
                return isPutOff(options, messages) ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                print(id, messages);
                context.setDelayLevelWhenNextConsume(options.number("level", 0));
                return isPutOff(options, messages) ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
        consumer.start();
        consumers.put(id, consumer);
    }

    private DefaultMQPushConsumer get(Options options) {
        return consumers.get(options.text("id", "c"));
    }

    void suspend(Options options) {
        get(options).suspend();
    }

    void resume(Options options) {
        get(options).resume();
    }

    void stop(Options options) {
        consumers.remove(options.text("id", "c")).shutdown();
    }

    private static List<MessageQueue> queues(String topic, String list) {
        List<MessageQueue> queues = new ArrayList<>();
        for (String item : list.split(",")) {
            int at = item.lastIndexOf(':');
            if (at > 0) {
                queues.add(new MessageQueue(topic, item.substring(0, at), Integer.parseInt(item.substring(at + 1))));
            }
        }
        return queues;
    }

    /** Machine room of a name: what stands before its first `@` or `-`. */
    private static String room(String name) {
        return name.split("[@-]")[0];
    }

    private static AllocateMessageQueueStrategy strategy(Options options) {
        switch (options.text("strategy", "average")) {
            case "circle":
                return new AllocateMessageQueueAveragelyByCircle();
            case "hash":
                return new AllocateMessageQueueConsistentHash();
            case "config":
                AllocateMessageQueueByConfig config = new AllocateMessageQueueByConfig();
                config.setMessageQueueList(queues(options.text("topic", ""), options.text("own", "")));
                return config;
            case "room":
                AllocateMessageQueueByMachineRoom rooms = new AllocateMessageQueueByMachineRoom();
                rooms.setConsumeridcs(new java.util.HashSet<>(List.of(options.text("rooms", "").split(","))));
                return rooms;
            case "nearby":
                return new AllocateMachineRoomNearby(new AllocateMessageQueueAveragely(), new AllocateMachineRoomNearby.MachineRoomResolver() {
                    @Override
                    public String brokerDeployIn(MessageQueue queue) {
                        return room(queue.getBrokerName());
                    }

                    @Override
                    public String consumerDeployIn(String clientId) {
                        return room(clientId);
                    }
                });
            default:
                return new AllocateMessageQueueAveragely();
        }
    }

    /** What Apache's strategy gives `self` of these queues. */
    static List<String> allocate(Options options) {
        List<String> share = new ArrayList<>();
        List<MessageQueue> all = queues(options.text("topic", "T"), options.text("queues", ""));
        List<String> members = List.of(options.text("members", "").split(","));
        for (MessageQueue queue : strategy(options).allocate("CG", options.text("self", ""), all, members)) {
            share.add(queue.getBrokerName() + ":" + queue.getQueueId());
        }
        return share;
    }
}
