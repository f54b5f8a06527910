import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Request-reply with Apache's unmodified client, one JSON line each; ends when standard input closes.
 * Options: namesrv, topic, role=ask (count, timeout, prefix) or role=answer (group): answers BODY with "re:BODY".
 */
public final class LabRequest {
    private static synchronized void print(String line) {
        System.out.println(line);
    }

    private static String text(byte[] body) {
        return new String(body, StandardCharsets.UTF_8);
    }

    private static DefaultMQProducer producer(Options options, String group) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(group);
        producer.setNamesrvAddr(options.text("namesrv", "127.0.0.1:9876"));
        producer.setInstanceName("r" + ProcessHandle.current().pid());
        producer.start();
        return producer;
    }

    private static void ask(Options options) throws Exception {
        DefaultMQProducer producer = producer(options, "PG_ask");
        for (int i = 0; i < options.number("count", 1); i++) {
            String key = options.text("prefix", "q") + "-" + i;
            Message message = new Message(options.text("topic", "LabTopic"), "", key, key.getBytes(StandardCharsets.UTF_8));
            try {
                Message reply = producer.request(message, options.number("timeout", 10_000));
                print("{\"event\":\"reply\",\"key\":\"" + key + "\",\"body\":\"" + text(reply.getBody()) + "\",\"error\":\"\"}");
            } catch (Exception error) {
                print("{\"event\":\"reply\",\"key\":\"" + key + "\",\"body\":\"\",\"error\":\"" + error.getClass().getSimpleName() + "\"}");
            }
        }
    }

    private static void answer(Options options) throws Exception {
        DefaultMQProducer replies = producer(options, "PG_answer");
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(options.text("group", "CG_answer"));
        consumer.setNamesrvAddr(options.text("namesrv", "127.0.0.1:9876"));
        consumer.setInstanceName("a" + ProcessHandle.current().pid());
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(options.text("topic", "LabTopic"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                String status;
                try {
                    Message reply = MessageUtil.createReplyMessage(message, ("re:" + text(message.getBody())).getBytes(StandardCharsets.UTF_8));
                    SendResult result = replies.send(reply, 5_000);
                    status = String.valueOf(result.getSendStatus());
                } catch (Exception error) {
                    status = error.getClass().getSimpleName();
                }
                print("{\"event\":\"answered\",\"key\":\"" + message.getKeys() + "\",\"status\":\"" + status + "\"}");
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    public static void main(String[] args) throws Exception {
        Options options = new Options(args);
        if ("answer".equals(options.text("role", "ask"))) {
            answer(options);
        } else {
            ask(options);
        }
        print("{\"event\":\"started\"}");
        while (System.in.read() >= 0) {
            continue;
        }
        System.exit(0);
    }
}
