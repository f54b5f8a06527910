import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Sends transaction messages with Apache's unmodified producer and prints one JSON line per half message and per check; ends when standard input closes.
 * Options: namesrv, topic, group, prefix, plans: a comma list, one message each. A plan is a line of letters, the first for the local transaction, one more for
 * each check, the last one for ever: c commit, r rollback, u unknown. immunity=SECONDS; delay=LEVEL.
 */
public final class LabTransaction {
    private static final ConcurrentHashMap<String, Integer> CHECKS = new ConcurrentHashMap<>();

    private static LocalTransactionState stateOf(char letter) {
        switch (letter) {
            case 'c':
                return LocalTransactionState.COMMIT_MESSAGE;
            case 'r':
                return LocalTransactionState.ROLLBACK_MESSAGE;
            default:
                return LocalTransactionState.UNKNOW;
        }
    }

    private static synchronized void print(String line) {
        System.out.println(line);
    }

    public static void main(String[] args) throws Exception {
        Options options = new Options(args);
        TransactionMQProducer producer = new TransactionMQProducer(options.text("group", "PG_java"));
        producer.setNamesrvAddr(options.text("namesrv", "127.0.0.1:9876"));
        producer.setInstanceName("t" + ProcessHandle.current().pid());
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                return stateOf(String.valueOf(argument).charAt(0));
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                String plan = message.getTags();
                int times = CHECKS.merge(message.getKeys(), 1, Integer::sum);
                LocalTransactionState state = stateOf(plan.charAt(Math.min(times, plan.length() - 1)));
                print("{\"event\":\"check\",\"key\":\"" + message.getKeys() + "\",\"times\":" + times + ",\"topic\":\"" + message.getTopic()
                    + "\",\"queue\":" + message.getQueueId() + ",\"counted\":\"" + message.getUserProperty("TRANSACTION_CHECK_TIMES")
                    + "\",\"transactionId\":\"" + message.getTransactionId() + "\",\"body\":\"" + new String(message.getBody(), StandardCharsets.UTF_8)
                    + "\",\"state\":\"" + state + "\"}");
                return state;
            }
        });
        producer.start();
        // A producer that knew no broker when it started tells its group with the heartbeat of the next half minute; checks before that reach nobody.
        MQClientInstance client = producer.getDefaultMQProducerImpl().getmQClientFactory();
        client.updateTopicRouteInfoFromNameServer("TBW102");
        client.sendHeartbeatToAllBrokerWithLock();
        String plans = options.text("plans", "");
        int index = 0;
        for (String plan : plans.isEmpty() ? new String[0] : plans.split(",")) {
            String key = options.text("prefix", "t") + "-" + index++;
            Message message = new Message(options.text("topic", "LabTopic"), plan, key, key.getBytes(StandardCharsets.UTF_8));
            if (options.number("immunity", 0) > 0) {
                message.putUserProperty("CHECK_IMMUNITY_TIME_IN_SECONDS", String.valueOf(options.number("immunity", 0)));
            }
            TransactionSendResult result = producer.sendMessageInTransaction(message, plan);
            print("{\"event\":\"half\",\"key\":\"" + key + "\",\"plan\":\"" + plan + "\",\"status\":\"" + result.getSendStatus() + "\",\"state\":\""
                + result.getLocalTransactionState() + "\",\"transactionId\":\"" + result.getMsgId() + "\",\"offset\":" + result.getQueueOffset() + "}");
        }
        print("{\"event\":\"started\"}");
        while (System.in.read() >= 0) {
            continue;
        }
        producer.shutdown();
        print("{\"event\":\"finished\"}");
        System.exit(0);
    }
}
