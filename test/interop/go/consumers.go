package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

var consumers = map[string]rocketmq.PushConsumer{}

func describe(id string, m *primitive.MessageExt) event {
	head := strings.SplitN(string(m.Body), ".", 2)[0]
	return event{
		"event": "recv", "consumer": id, "key": m.GetKeys(), "topic": m.Topic, "broker": m.Queue.BrokerName, "queue": m.Queue.QueueId,
		"offset": m.QueueOffset, "reconsume": m.ReconsumeTimes, "tags": m.GetTags(), "head": head, "size": len(m.Body), "stored": m.StoreTimestamp,
		"born": m.BornTimestamp, "at": time.Now().UnixMilli(), "msgId": m.MsgId, "bornHost": m.BornHost, "storeHost": m.StoreHost,
	}
}

func whereOf(o options) consumer.ConsumeFromWhere {
	switch o.text("from", "FIRST_OFFSET") {
	case "LAST_OFFSET":
		return consumer.ConsumeFromLastOffset
	case "TIMESTAMP":
		return consumer.ConsumeFromTimestamp
	}
	return consumer.ConsumeFromFirstOffset
}

func strategyOf(o options) consumer.AllocateStrategy {
	switch o.text("strategy", "average") {
	case "circle":
		return consumer.AllocateByAveragelyCircle
	case "hash":
		return consumer.AllocateByConsistentHash(10)
	}
	return consumer.AllocateByAveragely
}

func consumerOptions(o options, group string) []consumer.Option {
	model := consumer.Clustering
	if o.text("model", "CLUSTERING") == "BROADCASTING" {
		model = consumer.BroadCasting
	}
	made := []consumer.Option{
		consumer.WithNsResolver(o.nameServers()),
		consumer.WithGroupName(group),
		consumer.WithInstance(o.text("instance", o.text("id", "c"))),
		consumer.WithConsumerModel(model),
		consumer.WithConsumeFromWhere(whereOf(o)),
		consumer.WithConsumerOrder(o.text("orderly", "false") == "true"),
		consumer.WithMaxReconsumeTimes(int32(o.number("max", -1))),
		consumer.WithSuspendCurrentQueueTimeMillis(time.Duration(o.number("suspend", 1000)) * time.Millisecond),
		consumer.WithStrategy(strategyOf(o)),
	}
	if stamp := o.text("timestamp", ""); stamp != "" {
		made = append(made, consumer.WithConsumeTimestamp(stamp))
	}
	if o.text("trace", "") == "true" {
		made = append(made, consumer.WithTrace(o.traceConfig(group)))
	}
	if key := o.text("accessKey", ""); key != "" {
		made = append(made, consumer.WithCredentials(primitive.Credentials{AccessKey: key, SecretKey: o.text("secretKey", "")}))
	}
	return made
}

func selectorOf(o options) consumer.MessageSelector {
	if sql := o.text("sql", ""); sql != "" {
		return consumer.MessageSelector{Type: consumer.SQL92, Expression: sql}
	}
	return consumer.MessageSelector{Type: consumer.TAG, Expression: o.text("tags", "*")}
}

// consume starts a push consumer; later=KEY is put off as often as times=N says, at delay level level=N.
func consume(o options) error {
	id := o.text("id", "c")
	group := o.text("group", "CG_"+id)
	made, err := rocketmq.NewPushConsumer(consumerOptions(o, group)...)
	if err != nil {
		return err
	}
	isOrderly := o.text("orderly", "false") == "true"
	err = made.Subscribe(o.text("topic", ""), selectorOf(o), func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		putOff := false
		for _, m := range messages {
			emit(describe(id, m))
			putOff = putOff || (m.GetKeys() == o.text("later", "") && int(m.ReconsumeTimes) < o.number("times", 1))
		}
		if !putOff {
			return consumer.ConsumeSuccess, nil
		}
		if isOrderly {
			return consumer.SuspendCurrentQueueAMoment, nil
		}
		if own, found := primitive.GetConcurrentlyCtx(ctx); found {
			own.DelayLevelWhenNextConsume = o.number("level", 0)
		}
		return consumer.ConsumeRetryLater, nil
	})
	if err != nil {
		return err
	}
	if err := made.Start(); err != nil {
		return err
	}
	consumers[id] = made
	return nil
}

func stop(o options) error {
	id := o.text("id", "c")
	known, found := consumers[id]
	if !found {
		return fmt.Errorf("no consumer %s", id)
	}
	delete(consumers, id)
	return known.Shutdown()
}

// pull starts a pull consumer, polls until count messages came or ms are over, acknowledges them and ends.
func pull(o options, done event) error {
	group := o.text("group", "CG_go_pull")
	made, err := rocketmq.NewPullConsumer(consumerOptions(o, group)...)
	if err != nil {
		return err
	}
	if err := made.Subscribe(o.text("topic", ""), selectorOf(o)); err != nil {
		return err
	}
	if err := made.Start(); err != nil {
		return err
	}
	count := 0
	deadline := time.Now().Add(time.Duration(o.number("ms", 20000)) * time.Millisecond)
	for count < o.number("count", 1) && time.Now().Before(deadline) {
		polled, err := made.Poll(context.Background(), time.Second)
		if consumer.IsNoNewMsgError(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, m := range polled.GetMsgList() {
			emit(describe(group, m))
			count++
		}
		made.ACK(context.Background(), polled, consumer.ConsumeSuccess)
	}
	done["number"] = count
	return made.Shutdown()
}
