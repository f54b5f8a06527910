import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.protocol.heartbeat.MessageModel;

/**
 * Consumes with Apache's unmodified push consumer and prints one JSON line per delivery; ends when standard input closes.
 * Options: namesrv, topic, group, tags or sql, model=CLUSTERING|BROADCASTING, orderly=true, later=KEY (that key is retried once),
 * accessKey and secretKey (signed).
 */
public final class LabConsumer {
    private static void print(MessageExt message) {
        String body = new String(message.getBody(), StandardCharsets.UTF_8);
        int end = body.indexOf('.');
        synchronized (LabConsumer.class) {
            System.out.println("{\"event\":\"recv\",\"key\":\"" + message.getKeys() + "\",\"topic\":\"" + message.getTopic() + "\",\"broker\":\""
                + message.getBrokerName() + "\",\"queue\":" + message.getQueueId() + ",\"offset\":" + message.getQueueOffset()
                + ",\"reconsume\":" + message.getReconsumeTimes() + ",\"tags\":\"" + message.getTags() + "\",\"head\":\""
                + (end < 0 ? body : body.substring(0, end)) + "\",\"size\":" + message.getBody().length
                + ",\"stored\":" + message.getStoreTimestamp() + ",\"born\":" + message.getBornTimestamp()
                + ",\"at\":" + System.currentTimeMillis() + "}");
        }
    }

    public static void main(String[] args) throws Exception {
        Options options = new Options(args);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(options.text("group", "CG_lab"), Secured.hook(options), new AllocateMessageQueueAveragely());
        consumer.setNamesrvAddr(options.text("namesrv", "127.0.0.1:9876"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setMessageModel(MessageModel.valueOf(options.text("model", "CLUSTERING")));
        consumer.setInstanceName(options.text("instance", "i" + ProcessHandle.current().pid()));
        String sql = options.text("sql", "");
        if (sql.isEmpty()) {
            consumer.subscribe(options.text("topic", "LabTopic"), options.text("tags", "*"));
        } else {
            consumer.subscribe(options.text("topic", "LabTopic"), MessageSelector.bySql(sql));
        }
        String later = options.text("later", "");
        if ("true".equals(options.text("orderly", "false"))) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                messages.forEach(LabConsumer::print);
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                messages.forEach(LabConsumer::print);
                boolean retry = messages.stream().anyMatch(m -> later.equals(m.getKeys()) && m.getReconsumeTimes() == 0);
                if (retry) {
                    context.setDelayLevelWhenNextConsume(1);
                }
                return retry ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
        try {
            consumer.start();
        } catch (MQClientException error) {
            String message = String.valueOf(error.getMessage()).replace('\\', '/').replace('"', '\'').replace('\n', ' ');
            System.out.println("{\"event\":\"failed\",\"code\":" + error.getResponseCode() + ",\"message\":\"" + message + "\"}");
            System.exit(1);
        }
        System.out.println("{\"event\":\"started\"}");
        while (System.in.read() >= 0) {
            continue;
        }
        consumer.shutdown();
        System.out.println("{\"event\":\"finished\"}");
        System.exit(0);
    }
}
